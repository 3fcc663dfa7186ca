package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/control"
)

// Stream is a report whose results are made while it is written, for as many as should not
// be in memory together. What is written is that of a Report.
type Stream struct {
	// Results may be asked for more than once, and are the same each time.
	Results iter.Seq[Result]
	Summary Summary
	Errors  []string
}

// Stream is the report as one.
func (r *Report) Stream() *Stream {
	return &Stream{Results: slices.Values(r.Results), Summary: r.Summary, Errors: r.Errors}
}

// Failed is whether any control fails.
func (s *Stream) Failed() bool { return s.Summary.Statuses[control.Fail] > 0 }

// JSON writes what the function of this name writes of a Report.
func (s *Stream) JSON(w io.Writer) error {
	out := bufio.NewWriter(w)
	var item bytes.Buffer
	encoder := json.NewEncoder(&item)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("    ", "  ")
	n := 0
	for r := range s.Results {
		item.Reset()
		if err := encoder.Encode(r); err != nil {
			return fmt.Errorf("writing json: %w", err)
		}
		before := ",\n    "
		if n++; n == 1 {
			before = "{\n  \"results\": [\n    "
		}
		_, _ = out.WriteString(before) // the writer keeps its error
		_, _ = out.Write(bytes.TrimSuffix(item.Bytes(), []byte("\n")))
	}
	before := "\n  ],\n"
	if n == 0 {
		before = "{\n  \"results\": [],\n"
	}
	_, _ = out.WriteString(before)
	var rest bytes.Buffer
	if err := JSON(&rest, &tail{s.Summary, s.Errors}); err != nil {
		return err
	}
	_, _ = out.Write(bytes.TrimPrefix(rest.Bytes(), []byte("{\n")))
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing json: %w", err)
	}
	return nil
}

// tail is what comes after the results.
type tail struct {
	Summary Summary  `json:"summary"`
	Errors  []string `json:"errors,omitempty"`
}

// YAML writes what the function of this name writes of a Report: names are in alphabetical
// order.
func (s *Stream) YAML(w io.Writer) error {
	out := bufio.NewWriter(w)
	if len(s.Errors) > 0 {
		if err := YAML(out, map[string]any{"errors": s.Errors}); err != nil {
			return err
		}
	}
	n := 0
	for r := range s.Results {
		if n++; n == 1 {
			_, _ = out.WriteString("results:\n") // the writer keeps its error
		}
		item, err := yaml.Marshal([]Result{r})
		if err != nil {
			return fmt.Errorf("writing yaml: %w", err)
		}
		_, _ = out.Write(item)
	}
	if n == 0 {
		_, _ = out.WriteString("results: []\n")
	}
	if err := YAML(out, map[string]any{"summary": s.Summary}); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing yaml: %w", err)
	}
	return nil
}
