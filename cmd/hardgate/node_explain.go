package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/check"
	"github.com/hardgate-dev/hardgate/report"
)

var wordHere = control.Text{EN: "Here", KO: "이 노드"}

// explain tells a person what a control is, why, where it looks, what it finds on
// this node and how to mend it.
func explain(w io.Writer, r report.Result, o *nodeOptions) error {
	c, _ := control.Get(r.Control)
	k, _ := check.Get(r.Control)
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s: %s\n", c.ID, c.Title.In(o.lang))
	if numbers := inBenchmarks(c.ID); numbers != "" {
		fmt.Fprintf(out, "  %s\n", numbers)
	}
	section(out, wordWhy.In(o.lang), c.Why.In(o.lang))
	section(out, wordLooks.In(o.lang), k.Reads...)
	found := make([]string, 0, 1+len(r.Findings)+len(r.Evidence))
	found = append(found, string(r.Status))
	for _, f := range r.Findings {
		found = append(found, "- "+f.Line(o.lang))
	}
	for _, f := range r.Evidence {
		found = append(found, "+ "+f.Line(o.lang))
	}
	section(out, wordHere.In(o.lang), found...)
	section(out, wordMend.In(o.lang), c.Remedy.In(o.lang))
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the explanation: %w", err)
	}
	return nil
}

func section(out io.Writer, heading string, lines ...string) {
	fmt.Fprintf(out, "\n%s\n", heading)
	for _, line := range lines {
		fmt.Fprintf(out, "  %s\n", line)
	}
}

// inBenchmarks are the control's numbers, each with its benchmark.
func inBenchmarks(id control.ID) string {
	var list []string
	for _, row := range control.Rows(id) {
		list = append(list, row.Benchmark+" "+row.ID)
	}
	return strings.Join(list, ", ")
}
