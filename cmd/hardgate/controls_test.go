package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/control"
)

var update = flag.Bool("update", false, "write the golden files")

func TestCompareNumbers(t *testing.T) {
	order := []string{"1.1.1", "1.2.30", "4.2", "4.2.1", "5.2.2", "5.2.10", "10.1"}
	for i, a := range order {
		for j, b := range order {
			if got := compareNumbers(a, b); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("compareNumbers(%q, %q) = %d", a, b, got)
			}
		}
	}
}

func TestControlsTable(t *testing.T) {
	code, stdout, stderr := call(t, nil, "", "controls")
	if lines := strings.Count(stdout, "\n"); code != 0 || stderr != "" || lines != 1+len(control.All()) {
		t.Errorf("exit %d, stderr %q, %d lines, want one for each of %d controls and a header", code, stderr, lines, len(control.All()))
	}
	_, stdout, _ = call(t, nil, "", "controls", "--benchmark", "1.12")
	var last string
	for i, line := range strings.Split(strings.TrimSpace(stdout), "\n") {
		fields := strings.Fields(line)
		if i == 0 {
			if !strings.Contains(line, "CIS 1.12.0") {
				t.Errorf("header is %q", line)
			}
			continue
		}
		if number := fields[1]; number != control.Number(control.ID(fields[0]), "cis-kubernetes-1.12.0") || last != "" && compareNumbers(last, number) > 0 {
			t.Errorf("line %q after number %s", line, last)
		}
		last = fields[1]
	}
	if strings.Contains(stdout, "added-capabilities") {
		t.Error("added-capabilities has no number in 1.12")
	}
}

func TestControlsJSON(t *testing.T) {
	for lang, l := range map[string]control.Lang{"en": control.English, "ko": control.Korean} {
		_, stdout, _ := call(t, nil, "", "controls", "-o", "json", "--lang", lang)
		var got []entry
		if err := json.Unmarshal([]byte(stdout), &got); err != nil {
			t.Fatal(err)
		}
		if len(got) != len(control.All()) {
			t.Fatalf("%d controls, want %d", len(got), len(control.All()))
		}
		for i, c := range control.All() {
			if got[i].ID != c.ID || got[i].Title != c.Title.In(l) || !cmp.Equal(got[i].Rows, control.Rows(c.ID)) || (got[i].Reason == "") != (c.Kind == control.Measured) {
				t.Errorf("control %s is %+v", c.ID, got[i])
			}
			if c.ID == "host-ports" && !cmp.Equal(got[i].Parameters, []string{"allowedHostPorts"}) {
				t.Errorf("parameters of host-ports are %q", got[i].Parameters)
			}
		}
	}
}

func TestRows(t *testing.T) {
	code, stdout, stderr := call(t, nil, "", "controls", "--rows", "-o", "csv")
	if code != 0 || stderr != "" {
		t.Fatalf("exit %d, stderr %q", code, stderr)
	}
	got, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	source := control.SourceRows()
	if len(got) != 1+len(source) || strings.Join(got[0], ",") != "document,row,id,control,kind,reason" {
		t.Fatalf("%d lines under %q, want %d", len(got)-1, got[0], len(source))
	}
	for i, s := range source {
		line := got[i+1]
		if diff := cmp.Diff([]string{s.Document, strconv.Itoa(s.Row), s.ID, string(s.Control)}, line[:4]); diff != "" {
			t.Errorf("line %d (-want +got):\n%s", i+1, diff)
		}
		switch kind := control.Kind(line[4]); kind {
		case control.Measured, control.Manual, control.Attested, control.Planned:
			if (line[5] == "") != (kind == control.Measured) {
				t.Errorf("line %d: %s for the reason %q", i+1, kind, line[5])
			}
		default:
			t.Errorf("line %d: kind is %q", i+1, kind)
		}
	}
	for _, output := range []string{"table", "json"} {
		if code, stdout, _ := call(t, nil, "", "controls", "--rows", "-o", output, "--lang", "ko"); code != 0 || !strings.Contains(stdout, "privileged") {
			t.Errorf("-o %s: exit %d, output %q", output, code, stdout)
		}
	}
}

// TestMarkdown has texts of its own: those of the catalogue are not the matter.
func TestMarkdown(t *testing.T) {
	both := func(s string) control.Text { return control.Text{EN: s, KO: s + "(한글)"} }
	controls := []control.Control{
		{ID: "assigned-capabilities", Face: control.Admission, Kind: control.Measured, Level: control.L2, Title: both("a <b> *c*"), Why: both("net_x | y"), Remedy: both(`["ALL"]`)},
		{ID: "mod-cramfs", Face: control.Node, Kind: control.Planned, Title: both("title"), Why: both("why"), Remedy: both("remedy"), Reason: both("reason")},
		{ID: "privileged", Face: control.Admission, Kind: control.Measured, Level: control.L1, Title: both("p"), Why: both("q"), Remedy: both("r")},
	}
	for name, lang := range map[string]control.Lang{"testdata/controls.md": control.English, "testdata/controls.ko.md": control.Korean} {
		var b bytes.Buffer
		if err := (markdown{lang: lang}).write(&b, controls); err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestMarkdownIsComplete: every control of the catalogue has a section.
func TestMarkdownIsComplete(t *testing.T) {
	_, stdout, _ := call(t, nil, "", "controls", "-o", "markdown")
	for _, id := range control.IDs() {
		if !strings.Contains(stdout, "\n### "+string(id)+"\n") {
			t.Errorf("%s has no section", id)
		}
	}
}
