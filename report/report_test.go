package report_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/report"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/verdict"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// sample has the control ids of none, so that the catalogue's wording is not in
// the golden files.
func sample() *report.Report {
	rows := func(number string) []control.Row {
		return []control.Row{{Benchmark: "cis-kubernetes-1.8.0", ID: number}, {Benchmark: "cis-kubernetes-1.12.0", ID: "9." + number}}
	}
	web := report.Object{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: "web", Source: "all.yaml#0[1]"}
	evil := report.Object{APIVersion: "v1", Kind: "Pod", Name: "a\x1b[31m\n\u202e서버", Source: "b.yaml#0"}
	return report.New([]report.Result{
		{Object: web, Control: "first", Rows: rows("5.2.2"), Status: control.Fail, Remedy: "do <this> & that", Findings: []report.Finding{
			{Path: "spec.a", Detail: "a is true"}, {Path: "spec.b", Detail: "b is true"},
		}},
		{Object: web, Control: "second-of-them", Rows: rows("5.2.10"), Status: control.Pass},
		{Object: web, Control: "third", Status: control.Fail, Mode: "Enforce", Remedy: "mend it", Findings: []report.Finding{{Path: "spec.c", Detail: "c\tis\nset"}}},
		{Object: evil, Control: "first", Rows: rows("5.2.2"), Status: control.Unknown, Findings: []report.Finding{{Path: "metadata.namespace", Detail: "unset"}}},
		{Object: evil, Control: "second-of-them", Rows: rows("5.2.10"), Status: control.Fail, Remedy: "mend it", Findings: []report.Finding{{Path: "spec.d", Detail: "d"}}},
		{Object: evil, Control: "third", Status: control.NotApplicable},
	}, report.Summary{Files: 2, Documents: 3, Objects: 2}, []error{errors.New("c.yaml: no such file")})
}

func TestFormats(t *testing.T) {
	tests := map[string]func(*bytes.Buffer, *report.Report) error{
		"table.txt": func(b *bytes.Buffer, r *report.Report) error { return report.Table{}.Write(b, r) },
		"table-all.txt": func(b *bytes.Buffer, r *report.Report) error {
			return report.Table{All: true, Benchmarks: []string{"cis-kubernetes-1.12.0"}}.Write(b, r)
		},
		"report.json": func(b *bytes.Buffer, r *report.Report) error { return report.JSON(b, r) },
		"report.yaml": func(b *bytes.Buffer, r *report.Report) error { return report.YAML(b, r) },
	}
	for name, write := range tests {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := write(&b, sample()); err != nil {
				t.Fatal(err)
			}
			golden(t, name, b.Bytes())
		})
	}
}

// TestNode: a node's findings say what was wanted, what was there and how it drifted.
func TestNode(t *testing.T) {
	node := report.Object{APIVersion: "v1", Kind: "Node", Name: "web-1", Source: "/"}
	r := report.New([]report.Result{
		{
			Object: node, Control: "first", Status: control.Fail, Remedy: "mend it",
			Findings: []report.Finding{
				{Path: "/proc/sys/a", Actual: "1", Expected: "0", State: "running", Drift: "now"},
				{Path: "/etc/a.conf:3", Expected: "0", Detail: "no line sets it", State: "persisted", Drift: "at-reboot"},
			},
			Evidence: []report.Finding{{Path: "/etc/b", Actual: "mode 0600"}},
		},
		{Object: node, Control: "second", Status: control.Unknown, Findings: []report.Finding{{Path: "/etc/c", Detail: "permission denied"}}},
		{Object: node, Control: "third", Status: control.ByHand, Findings: []report.Finding{{Path: "/etc/d", Detail: "look at it"}}},
	}, report.Summary{Files: 3, Objects: 1}, nil)
	var table bytes.Buffer
	for _, w := range []report.Table{{Also: []control.Status{control.Unknown}}, {All: true, Lang: control.Korean}} {
		if err := w.Write(&table, r); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "node.txt", table.Bytes())
	var j bytes.Buffer
	if err := report.JSON(&j, r); err != nil {
		t.Fatal(err)
	}
	golden(t, "node.json", j.Bytes())
}

// TestExempt: what is exempt is shown with what it is exempt by, and fails nothing.
func TestExempt(t *testing.T) {
	decide := func(status control.Status, mode control.Mode, violations ...verdict.Violation) *verdict.Decision {
		return &verdict.Decision{ID: "first", Status: status, Mode: mode, Violations: violations}
	}
	at := func(path, exemption string, mended bool) verdict.Violation {
		return verdict.Violation{Finding: policy.Finding{Path: path, Detail: "d"}, Exemption: exemption, Mended: mended}
	}
	web := report.Object{Kind: "Pod", Namespace: "shop", Name: "web", Source: "f#0"}
	all := report.New([]report.Result{report.Of(web, decide(control.Exempt, control.Enforce, at("spec.a", "two", true), at("spec.b", "one", false)), control.English)}, report.Summary{}, nil)
	if all.Failed() || all.Results[0].Exemption != "one,two" {
		t.Errorf("exempt: failed %t, %+v", all.Failed(), all.Results[0])
	}
	part := report.New([]report.Result{report.Of(web, decide(control.Fail, control.Warn, at("spec.a", "two", false), at("spec.b", "", true)), control.English)}, report.Summary{}, nil)
	if !part.Failed() || part.Results[0].Exemption != "" {
		t.Errorf("exempt in part: failed %t, %+v", part.Failed(), part.Results[0])
	}
	var b bytes.Buffer
	for lang, r := range map[control.Lang]*report.Report{control.English: part, control.Korean: all} {
		b.Reset()
		if err := (report.Table{Also: []control.Status{control.Exempt}, Lang: lang}).Write(&b, r); err != nil {
			t.Fatal(err)
		}
		want := map[control.Lang][]string{
			control.English: {"  Fail (Warn)  -  first\n", " spec.a: d; exempt by two\n", " spec.b: d; its pods are repaired\n"},
			control.Korean:  {"  Exempt  -  first\n", " spec.a: d; 예외: two\n", " spec.b: d; 예외: one\n"},
		}[lang]
		for _, line := range want {
			if !strings.Contains(b.String(), line) {
				t.Errorf("no %q in\n%s", line, b.String())
			}
		}
	}
}

// TestStream: a Stream is written as the Report that it is of.
func TestStream(t *testing.T) {
	full := sample()
	full.Results[0].Object.Owner, full.Results[0].Object.Alike = "Deployment/<web>", 2
	for name, r := range map[string]*report.Report{
		"full": full, "no errors": report.New(full.Results[:1], report.Summary{Objects: 1, Namespaces: 3}, nil),
		"empty": report.New(nil, report.Summary{}, nil), "errors alone": report.New(nil, report.Summary{}, []error{errors.New("a\nb")}),
	} {
		for format, write := range map[string][2]func(*bytes.Buffer) error{
			"json": {func(b *bytes.Buffer) error { return report.JSON(b, r) }, func(b *bytes.Buffer) error { return r.Stream().JSON(b) }},
			"yaml": {func(b *bytes.Buffer) error { return report.YAML(b, r) }, func(b *bytes.Buffer) error { return r.Stream().YAML(b) }},
		} {
			var want, got bytes.Buffer
			if err := errors.Join(write[0](&want), write[1](&got)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), got.String()); diff != "" {
				t.Errorf("%s, %s (-report +stream):\n%s", name, format, diff)
			}
		}
	}
}

func TestEmpty(t *testing.T) {
	r := report.New(nil, report.Summary{}, nil)
	if r.Failed() {
		t.Error("nothing has failed")
	}
	var j, table bytes.Buffer
	if err := errors.Join(report.JSON(&j, r), report.Table{}.Write(&table, r)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(j.Bytes(), []byte(`"results": []`)) {
		t.Errorf("results are not an empty list:\n%s", j.String())
	}
	if want := "0 objects in 0 documents of 0 files: 0 Fail, 0 Pass\n"; table.String() != want {
		t.Errorf("table is %q, want %q", table.String(), want)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestBrokenOutput(t *testing.T) {
	r := sample()
	for name, err := range map[string]error{
		"table": report.Table{}.Write(broken{}, r), "json": report.JSON(broken{}, r), "yaml": report.YAML(broken{}, r),
		"sarif": report.SARIF{}.Write(broken{}, r.Stream()), "junit": report.JUnit{}.Write(broken{}, r.Stream()),
		"json of a stream": r.Stream().JSON(broken{}), "yaml of a stream": r.Stream().YAML(broken{}),
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: error is %v, want that of the writer", name, err)
		}
	}
}
