package report

import (
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"
)

// JSON writes a value as indented JSON with a line break at the end. Characters
// are written as they are: the reader is a program or a terminal, not HTML.
func JSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(value); err != nil {
		return fmt.Errorf("writing json: %w", err)
	}
	return nil
}

// YAML writes a value in the shape that it has in JSON, names in alphabetical
// order.
func YAML(w io.Writer, value any) error {
	text, err := yaml.Marshal(value)
	if err != nil {
		return fmt.Errorf("writing yaml: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("writing yaml: %w", err)
	}
	return nil
}
