package chart

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// placeholder is where the table goes in README.gotmpl.
const placeholder = "{{ values }}\n"

// Readme is the chart's README.md: README.gotmpl with a table of the values, as
// values.yaml and the comments in it say.
func Readme(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "README.gotmpl"))
	if err != nil {
		return "", fmt.Errorf("making the chart's README: %w", err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "values.yaml"))
	if err != nil {
		return "", fmt.Errorf("making the chart's README: %w", err)
	}
	values, err := Values(data)
	if err != nil {
		return "", fmt.Errorf("making the chart's README: values.yaml: %w", err)
	}
	before, after, found := strings.Cut(string(text), placeholder)
	if !found {
		return "", fmt.Errorf("making the chart's README: README.gotmpl has no line %q", strings.TrimSpace(placeholder))
	}
	var table strings.Builder
	table.WriteString("| Value | Default | Meaning |\n|---|---|---|\n")
	for _, v := range values {
		fmt.Fprintf(&table, "| `%s` | `%s` | %s |\n", v.Path, v.Default, strings.ReplaceAll(v.About, "|", `\|`))
	}
	return before + table.String() + after, nil
}

// Value is one value of the chart.
type Value struct {
	// Path is how --set writes it.
	Path string
	// Default is JSON.
	Default string
	// About is the comment above it.
	About string
}

// Values reads values.yaml. A value is what has a comment; what has none must be a mapping
// of values, or it is an error.
func Values(data []byte) ([]Value, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	if len(document.Content) != 1 {
		return nil, fmt.Errorf("no mapping")
	}
	return valuesOf("", document.Content[0], true)
}

func valuesOf(prefix string, mapping *yaml.Node, top bool) (values []Value, _ error) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		path := prefix + key.Value
		// What stands above the first is about the file.
		about := comment(key.HeadComment)
		if (about == "" || top) && value.Kind == yaml.MappingNode {
			more, err := valuesOf(path+".", value, false)
			if err != nil {
				return nil, err
			}
			values = append(values, more...)
			continue
		}
		if about == "" {
			return nil, fmt.Errorf("line %d: %s has no comment that says what it means", key.Line, path)
		}
		var plain any
		if err := value.Decode(&plain); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		text, err := json.Marshal(plain)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		values = append(values, Value{Path: path, Default: string(text), About: about})
	}
	return values, nil
}

// comment is the text of a comment in one line.
func comment(text string) string {
	var words []string
	for line := range strings.Lines(text) {
		words = append(words, strings.Fields(strings.TrimLeft(line, "# "))...)
	}
	return strings.Join(words, " ")
}
