package report

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode"

	"github.com/hardgate-dev/hardgate/control"
)

var (
	wordMend     = control.Text{EN: "mend", KO: "조치"}
	wordWant     = control.Text{EN: "want", KO: "기대값:"}
	wordExempt   = control.Text{EN: "exempt by", KO: "예외:"}
	wordRepaired = control.Text{EN: "its pods are repaired", KO: "파드는 자동으로 보정됨"}
	wordAlike    = control.Text{EN: " and %d more", KO: " 외 %d개"}
	wordOwned    = control.Text{EN: "of %s", KO: "%s 소속"}

	wordDrift = map[string]control.Text{
		"now":       {EN: "drifted now", KO: "현재 어긋남"},
		"at-reboot": {EN: "will drift at reboot", KO: "재시작하면 어긋남"},
	}
)

// Table is how a report reads in a terminal: a block for each object, and the
// counts in the last line.
type Table struct {
	// All shows every result with its evidence; without it only failures are shown.
	All bool
	// Also are the statuses that are shown beside failures.
	Also []control.Status
	// Lang is the language of titles and labels.
	Lang control.Lang
	// Benchmarks give the numbers, the first that has one; control.DefaultBenchmark
	// and then any where it is empty.
	Benchmarks []string
	// Place is where all comes from: it is not shown beside each object.
	Place string
}

// Write writes the table. What comes from a manifest cannot steer the terminal:
// characters that are not printed are escaped.
func (t Table) Write(w io.Writer, r *Report) error { return t.WriteStream(w, r.Stream()) }

// WriteStream writes the table of a Stream.
func (t Table) WriteStream(w io.Writer, s *Stream) error {
	out := bufio.NewWriter(w)
	widths := t.widths(s)
	before, begun := Object{}, false
	for result := range t.shown(s) {
		if !begun || before != result.Object {
			if begun {
				fmt.Fprintln(out)
			}
			fmt.Fprintln(out, t.heading(result.Object))
		}
		before, begun = result.Object, true
		t.result(out, widths, result)
	}
	if begun {
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out, s.Summary.Line(t.Lang))
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}

// shown are the results that the table has.
func (t Table) shown(s *Stream) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		for r := range s.Results {
			if (t.All || r.Status == control.Fail || slices.Contains(t.Also, r.Status)) && !yield(r) {
				return
			}
		}
	}
}

type widths struct{ status, number, id int }

func (t Table) widths(s *Stream) (w widths) {
	for r := range t.shown(s) {
		w.status = max(w.status, len(outcome(r)))
		w.number = max(w.number, len(t.number(r)))
		w.id = max(w.id, len(r.Control))
	}
	return w
}

func (t Table) heading(o Object) string {
	name := o.Name
	if o.Namespace != "" {
		name = o.Namespace + "/" + name
	}
	if o.Alike > 0 {
		name += fmt.Sprintf(wordAlike.In(t.Lang), o.Alike)
	}
	from := o.Source
	switch {
	case o.Owner != "":
		from = fmt.Sprintf(wordOwned.In(t.Lang), o.Owner)
	case t.Place != "" && o.Source == t.Place:
		return Printable(o.Kind + " " + name)
	}
	return Printable(fmt.Sprintf("%s %s  (%s)", o.Kind, name, from))
}

func (t Table) result(out io.Writer, w widths, r Result) {
	c, _ := control.Get(r.Control)
	line := fmt.Sprintf("  %-*s  %-*s  %-*s  %s", w.status, outcome(r), w.number, t.number(r), w.id, r.Control, c.Title.In(t.Lang))
	fmt.Fprintln(out, strings.TrimRight(line, " "))
	indent := strings.Repeat(" ", w.status+w.number+6)
	for _, f := range r.Findings {
		fmt.Fprintf(out, "%s%s\n", indent, f.Line(t.Lang))
	}
	if t.All {
		for _, f := range r.Evidence {
			fmt.Fprintf(out, "%s%s\n", indent, f.Line(t.Lang))
		}
	}
	if r.Remedy != "" {
		fmt.Fprintf(out, "%s%s: %s\n", indent, wordMend.In(t.Lang), r.Remedy)
	}
}

// outcome is the status, with the mode of a failure where a policy gives one.
func outcome(r Result) string {
	if r.Status == control.Fail && r.Mode != "" {
		return string(r.Status) + " (" + r.Mode + ")"
	}
	return string(r.Status)
}

func (t Table) number(r Result) string {
	in := t.Benchmarks
	if len(in) == 0 {
		in = []string{control.DefaultBenchmark}
	}
	for _, benchmark := range in {
		i := slices.IndexFunc(r.Rows, func(row control.Row) bool { return row.Benchmark == benchmark })
		if i >= 0 {
			return r.Rows[i].ID
		}
	}
	if len(t.Benchmarks) > 0 || len(r.Rows) == 0 {
		return "-"
	}
	return r.Rows[0].ID
}

// Line is the finding for a person: the path and what stands there, with the words
// for its drift. It cannot steer a terminal.
func (f Finding) Line(lang control.Lang) string {
	if f.Path == "" { // it is about more than one object
		return Printable(f.text(lang))
	}
	return Printable(f.Path) + ": " + Printable(f.text(lang))
}

func (f Finding) text(lang control.Lang) string {
	var parts []string
	switch {
	case f.Actual != "" && f.Expected != "":
		parts = append(parts, f.Actual+", "+wordWant.In(lang)+" "+f.Expected)
	case f.Expected != "":
		parts = append(parts, wordWant.In(lang)+" "+f.Expected)
	case f.Actual != "":
		parts = append(parts, f.Actual)
	}
	if f.Detail != "" {
		parts = append(parts, f.Detail)
	}
	if f.Repaired {
		parts = append(parts, wordRepaired.In(lang))
	}
	if f.Exemption != "" {
		parts = append(parts, wordExempt.In(lang)+" "+f.Exemption)
	}
	text := strings.Join(parts, "; ")
	if drift, ok := wordDrift[f.Drift]; ok {
		text = drift.In(lang) + ": " + text
	}
	return text
}

// Line is the last line of the table. The names of statuses are those of JSON, in every language.
func (s Summary) Line(lang control.Lang) string {
	counts := make([]string, 0, len(statuses))
	for _, status := range statuses {
		n := s.Statuses[status]
		switch {
		case n == 0 && status != control.Fail && status != control.Pass:
		case lang == control.Korean:
			counts = append(counts, fmt.Sprintf("%s %d", status, n))
		default:
			counts = append(counts, fmt.Sprintf("%d %s", n, status))
		}
	}
	all := strings.Join(counts, ", ")
	if s.Namespaces > 0 {
		if lang == control.Korean {
			return fmt.Sprintf("네임스페이스 %d개, 오브젝트 %d개: %s", s.Namespaces, s.Objects, all)
		}
		return fmt.Sprintf("%s in %s: %s", plural(s.Objects, "object"), plural(s.Namespaces, "namespace"), all)
	}
	if s.Documents == 0 && s.Objects > 0 { // a node is read from its files
		if lang == control.Korean {
			return fmt.Sprintf("노드 %d개, 파일 %d개: %s", s.Objects, s.Files, all)
		}
		return fmt.Sprintf("%s, %s read: %s", plural(s.Objects, "node"), plural(s.Files, "file"), all)
	}
	if lang == control.Korean {
		return fmt.Sprintf("파일 %d개, 문서 %d개, 오브젝트 %d개: %s", s.Files, s.Documents, s.Objects, all)
	}
	return fmt.Sprintf("%s in %s of %s: %s", plural(s.Objects, "object"), plural(s.Documents, "document"), plural(s.Files, "file"), all)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Printable escapes what is no visible character, so that text from a manifest cannot
// steer a terminal.
func Printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
	}
	return b.String()
}
