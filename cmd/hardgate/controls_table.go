package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/check"
	"github.com/hardgate-dev/hardgate/webhook/policy"
)

// table prints one line for each control. The title is last: its width is not
// known where characters are wide.
func (f *controlsFlags) table(out io.Writer, controls []control.Control, lang control.Lang) error {
	benchmark := f.benchmark
	if benchmark == "" {
		benchmark = control.DefaultBenchmark
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "ID\t%s\tLEVEL\tKIND\tTITLE\n", title(benchmark))
	for i := range controls {
		c := &controls[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", c.ID, numbers(c.ID, benchmark), orDash(c.Level.String()), c.Kind, c.Title.In(lang))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}

// entry is a control in JSON, its texts in one language.
type entry struct {
	ID     control.ID    `json:"id"`
	Face   control.Face  `json:"face"`
	Kind   control.Kind  `json:"kind"`
	Level  control.Level `json:"level,omitempty"`
	Title  string        `json:"title"`
	Why    string        `json:"why"`
	Remedy string        `json:"remedy"`
	// Reason is empty for controls that a machine judges.
	Reason string        `json:"reason,omitempty"`
	Rows   []control.Row `json:"rows"`
	// Parameters are those of a WorkloadPolicy that the control reads.
	Parameters []string `json:"parameters,omitempty"`
	// Reads is where a control of nodes is looked at.
	Reads []string `json:"reads,omitempty"`
}

func entries(controls []control.Control, lang control.Lang) []entry {
	all := make([]entry, 0, len(controls))
	for i := range controls {
		c := &controls[i]
		e := entry{
			ID: c.ID, Face: c.Face, Kind: c.Kind, Level: c.Level,
			Title: c.Title.In(lang), Why: c.Why.In(lang), Remedy: c.Remedy.In(lang), Reason: c.Reason.In(lang),
			Rows: control.Rows(c.ID),
		}
		if p, ok := policy.Get(c.ID); ok {
			e.Parameters = p.Parameters
		}
		if k, ok := check.Get(c.ID); ok {
			e.Reads = k.Reads
		}
		all = append(all, e)
	}
	return all
}
