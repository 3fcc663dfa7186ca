package main

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/report"
)

// card is the answer of hardgate report.
type card struct {
	// Audit is absent where there was none.
	Audit *v1alpha1.AuditStatus `json:"audit,omitempty"`
	// Score is that of the whole cluster, whatever is shown.
	Score *v1alpha1.Score `json:"score,omitempty"`
	// Statuses count the rows of the documents that are asked for, shown or not.
	Statuses map[string]int `json:"statuses"`
	// Rows are those that are shown. Never nil.
	Rows []v1alpha1.BenchmarkRow `json:"rows"`

	total int
}

func newCard(r *v1alpha1.ClusterReport, all, shown []v1alpha1.BenchmarkRow, lang control.Lang) *card {
	c := &card{Audit: r.Status.Audit, Score: r.Status.Score, Statuses: map[string]int{}, Rows: []v1alpha1.BenchmarkRow{}, total: len(all)}
	for i := range all {
		c.Statuses[all[i].Status]++
	}
	for _, row := range shown {
		// A controller may be younger than this program, and know more controls.
		if k, ok := control.Get(control.ID(row.Control)); ok {
			row.Title = k.Title.In(lang)
		}
		c.Rows = append(c.Rows, row)
	}
	return c
}

var (
	wordRow       = control.Text{EN: "ROW", KO: "항목"}
	wordRowTitle  = control.Text{EN: "TITLE", KO: "제목"}
	wordScoring   = control.Text{EN: "SCORING", KO: "채점"}
	wordRowLevel  = control.Text{EN: "LEVEL", KO: "레벨"}
	wordStatus    = control.Text{EN: "STATUS", KO: "상태"}
	wordDetail    = control.Text{EN: "DETAIL", KO: "근거"}
	wordScored    = control.Text{EN: "scored", KO: "채점"}
	wordNotScored = control.Text{EN: "not scored", KO: "비채점"}
	formatNodes   = control.Text{EN: "%d of %d nodes pass", KO: "노드 %[2]d개 중 %[1]d개 통과"}
	formatScore   = control.Text{
		EN: "Score: %d of %d scored rows pass; the provider attests %d more.",
		KO: "점수: 채점 항목 %[2]d개 중 %[1]d개 통과, 제공자가 보증하는 항목 %[3]d개 별도.",
	}
	formatRows  = control.Text{EN: "%d rows: %s.", KO: "항목 %d개: %s."}
	formatAudit = control.Text{EN: "Audit of %s: %d objects.", KO: "감사 시각 %s, 오브젝트 %d개."}
	wordNoAudit = control.Text{EN: "No audit yet.", KO: "아직 감사를 실행하지 않았습니다."}
	wordNotRead = control.Text{EN: "Not read: %s", KO: "읽지 못함: %s"}
)

func (c *card) cells(r *v1alpha1.BenchmarkRow, lang control.Lang) []string {
	scoring := "-"
	if r.Scored != nil {
		scoring = wordNotScored.In(lang)
		if *r.Scored {
			scoring = wordScored.In(lang)
		}
	}
	return []string{
		report.Printable(r.ID), report.Printable(r.Title), scoring, report.Printable(orDash(r.Level)),
		report.Printable(status(r, lang)), report.Printable(orDash(r.Detail)),
	}
}

// status is the row's with what a reader must not miss: the word of a provider, and how
// many nodes there are to it.
func status(r *v1alpha1.BenchmarkRow, lang control.Lang) string {
	switch {
	case r.Status == string(control.AttestedBy):
		return r.Status + ": " + orDash(r.Statement)
	case r.Nodes != nil && r.NodesPassing != nil && r.Status != string(control.NotApplicable):
		return r.Status + ", " + fmt.Sprintf(formatNodes.In(lang), *r.NodesPassing, *r.Nodes)
	}
	return r.Status
}

func heads(lang control.Lang) []string {
	return []string{wordRow.In(lang), wordRowTitle.In(lang), wordScoring.In(lang), wordRowLevel.In(lang), wordStatus.In(lang), wordDetail.In(lang)}
}

// table prints a line for each row under the headings of its document. The detail is
// shown where the table is wide.
func (c *card) table(w io.Writer, lang control.Lang, wide bool) error {
	out := bufio.NewWriter(w)
	columns := 5
	if wide {
		columns = 6
	}
	lines := [][]string{heads(lang)}
	for i := range c.Rows {
		lines = append(lines, c.cells(&c.Rows[i], lang))
	}
	widths := make([]int, columns)
	for _, line := range lines {
		for i := range widths {
			widths[i] = max(widths[i], width(line[i]))
		}
	}
	write := func(line []string) {
		var b strings.Builder
		for i, cell := range line[:columns] {
			b.WriteString(cell)
			b.WriteString(strings.Repeat(" ", widths[i]-width(cell)+2))
		}
		fmt.Fprintln(out, strings.TrimRight(b.String(), " "))
	}
	c.sections(lang, func(document string) {
		fmt.Fprintf(out, "%s\n\n", report.Printable(document))
		write(lines[0])
	}, func(_, heading string) { fmt.Fprintln(out, report.Printable(heading)) }, func(i int) { write(lines[i+1]) }, func() { fmt.Fprintln(out) })
	for _, line := range c.summary(lang) {
		fmt.Fprintln(out, report.Printable(line))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}

// sections walks over rows, telling of documents and sections as they begin, and of
// documents as they end.
func (c *card) sections(lang control.Lang, begin func(document string), heading func(number, heading string), row func(i int), end func()) {
	for i := range c.Rows {
		r, before := &c.Rows[i], ""
		if i > 0 && c.Rows[i-1].Document == r.Document {
			before = c.Rows[i-1].ID
		} else {
			begin(documentTitle(r.Document, lang))
		}
		for _, number := range headings(before, r.ID) {
			heading(number, sectionTitle(r.Document, number, lang))
		}
		row(i)
		if i+1 == len(c.Rows) || c.Rows[i+1].Document != r.Document {
			end()
		}
	}
}

func (c *card) summary(lang control.Lang) (lines []string) {
	if s := c.Score; s != nil {
		lines = append(lines, fmt.Sprintf(formatScore.In(lang), s.Passed, s.Scored, s.Attested))
	}
	var counts []string
	for _, status := range reportStatuses {
		if n := c.Statuses[status]; n > 0 {
			counts = append(counts, status+" "+strconv.Itoa(n))
		}
	}
	lines = append(lines, fmt.Sprintf(formatRows.In(lang), c.total, strings.Join(counts, ", ")))
	if c.Audit == nil {
		return append(lines, wordNoAudit.In(lang))
	}
	lines = append(lines, fmt.Sprintf(formatAudit.In(lang), c.Audit.Finished.UTC().Format(time.RFC3339), c.Audit.Objects))
	for _, m := range c.Audit.Missed {
		lines = append(lines, fmt.Sprintf(wordNotRead.In(lang), m))
	}
	return lines
}

// markdown prints a table for each section that has rows of its own.
func (c *card) markdown(w io.Writer, lang control.Lang) error {
	out := bufio.NewWriter(w)
	open := false
	c.sections(lang, func(document string) { fmt.Fprintf(out, "# %s\n", escape(document)) },
		func(number, heading string) {
			fmt.Fprintf(out, "\n%s %s\n", strings.Repeat("#", 2+strings.Count(number, ".")), escape(report.Printable(heading)))
			open = false
		},
		func(i int) {
			if !open {
				fmt.Fprintf(out, "\n| %s |\n|%s\n", strings.Join(heads(lang), " | "), strings.Repeat(" --- |", len(heads(lang))))
				open = true
			}
			cells := c.cells(&c.Rows[i], lang)
			for j := range cells {
				cells[j] = escape(cells[j])
			}
			fmt.Fprintf(out, "| %s |\n", strings.Join(cells, " | "))
		}, func() { fmt.Fprintln(out); open = false })
	for _, line := range c.summary(lang) {
		fmt.Fprintf(out, "- %s\n", escape(report.Printable(line)))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing markdown: %w", err)
	}
	return nil
}

func (c *card) csv(w io.Writer) error {
	number := func(n *int32) string {
		if n == nil {
			return ""
		}
		return strconv.Itoa(int(*n))
	}
	lines := [][]string{{"document", "id", "control", "title", "scored", "level", "status", "statement", "source", "nodesPassing", "nodes", "detail"}}
	for i := range c.Rows {
		r := &c.Rows[i]
		scored := ""
		if r.Scored != nil {
			scored = strconv.FormatBool(*r.Scored)
		}
		lines = append(lines, []string{
			r.Document, r.ID, r.Control, r.Title, scored, r.Level, r.Status, r.Statement, r.Source,
			number(r.NodesPassing), number(r.Nodes), r.Detail,
		})
	}
	if err := csv.NewWriter(w).WriteAll(lines); err != nil {
		return fmt.Errorf("writing csv: %w", err)
	}
	return nil
}

// width is how many columns of a terminal a text takes: two for a Korean syllable.
func width(s string) int {
	n := utf8.RuneCountInString(s)
	for _, r := range s {
		if unicode.Is(unicode.Hangul, r) {
			n++
		}
	}
	return n
}
