package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/report"
)

// sourceRow is one row of a source document and what becomes of it.
type sourceRow struct {
	Document string       `json:"document"`
	Row      int          `json:"row"`
	ID       string       `json:"id"`
	Control  control.ID   `json:"control"`
	Kind     control.Kind `json:"kind"`
	// Reason is empty where Kind is measured.
	Reason string `json:"reason"`
}

var rowsHeader = []string{"document", "row", "id", "control", "kind", "reason"}

func (r *sourceRow) fields() []string {
	return []string{r.Document, strconv.Itoa(r.Row), r.ID, string(r.Control), string(r.Kind), r.Reason}
}

func (f *controlsFlags) printRows(cmd *cobra.Command, lang control.Lang) error {
	if err := knownOutput(cmd, f.output, rowsOutputs); err != nil {
		return err
	}
	if f.benchmark != "" {
		return usagef(cmd, "--benchmark does not go with --rows: the rows have their documents' own numbers")
	}
	rows := sourceRows(lang)
	switch out := cmd.OutOrStdout(); f.output {
	case "json":
		return report.JSON(out, rows)
	case "csv":
		return rowsCSV(out, rows)
	default:
		return rowsTable(out, rows)
	}
}

func sourceRows(lang control.Lang) []sourceRow {
	source := control.SourceRows()
	rows := make([]sourceRow, 0, len(source))
	for _, s := range source {
		c, _ := control.Get(s.Control) // the catalogue has every control of its tables
		row := sourceRow{Document: s.Document, Row: s.Row, ID: s.ID, Control: s.Control, Kind: c.Kind}
		if c.Kind != control.Measured {
			row.Reason = c.Reason.In(lang)
		}
		rows = append(rows, row)
	}
	return rows
}

func rowsCSV(out io.Writer, rows []sourceRow) error {
	w := csv.NewWriter(out)
	lines := [][]string{rowsHeader}
	for i := range rows {
		lines = append(lines, rows[i].fields())
	}
	if err := w.WriteAll(lines); err != nil {
		return fmt.Errorf("writing csv: %w", err)
	}
	return nil
}

func rowsTable(out io.Writer, rows []sourceRow) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DOCUMENT\tROW\tID\tCONTROL\tKIND\tREASON")
	for i := range rows {
		r := &rows[i]
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\n", r.Document, r.Row, r.ID, r.Control, r.Kind, orDash(r.Reason))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}
