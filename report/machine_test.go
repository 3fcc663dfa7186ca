package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/report"
)

// locate knows one file, and of it every line.
func locate(o report.Object, path string) (file string, line int) {
	file, _, _ = strings.Cut(o.Source, "#")
	switch {
	case file != "all.yaml":
		return "", 0
	case path == "":
		return "deploy/all of them.yaml", 3
	}
	return "deploy/all of them.yaml", 4 + int(path[len(path)-1]-'a')
}

// exempted is the sample with what is exempt, in whole and in part, and with what a cluster
// says of an object.
func exempted() *report.Report {
	r := sample()
	pod := report.Object{APIVersion: "v1", Kind: "Pod", Namespace: "shop", Name: "web-1", Source: "c0", Owner: "Deployment/web", Alike: 2}
	more := []report.Result{
		{Object: pod, Control: "first", Status: control.Exempt, Mode: "Warn", Exemption: "e", Findings: []report.Finding{{Path: "spec.a", Detail: "d", Exemption: "e"}}},
		{Object: pod, Control: "third", Status: control.Fail, Mode: "Audit", Findings: []report.Finding{{Path: "spec.a", Detail: "d", Exemption: "e"}, {Path: "spec.b", Detail: "d"}}},
		{Object: report.Object{Kind: "Cluster", Name: "c0", Source: "c0"}, Control: "fourth", Status: control.ByHand, Findings: []report.Finding{{Detail: "look at it"}}},
	}
	return report.New(append(r.Results, more...), report.Summary{}, []error{errors.New("c.yaml: no such file"), errors.New("d\nd")})
}

func TestMachineFormats(t *testing.T) {
	tests := map[string]func(*bytes.Buffer, *report.Stream) error{
		"report.sarif": func(b *bytes.Buffer, s *report.Stream) error {
			return report.SARIF{Version: "v1.2.3", Locate: locate}.Write(b, s)
		},
		"report-all.sarif": func(b *bytes.Buffer, s *report.Stream) error { return report.SARIF{All: true}.Write(b, s) },
		"report.xml":       func(b *bytes.Buffer, s *report.Stream) error { return report.JUnit{Locate: locate}.Write(b, s) },
	}
	for name, write := range tests {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := write(&b, exempted().Stream()); err != nil {
				t.Fatal(err)
			}
			golden(t, name, b.Bytes())
		})
	}
}

// log is what a reader of SARIF reads.
type log struct {
	Version string
	Runs    []struct {
		Tool struct {
			Driver struct {
				Rules []struct{ ID string }
			}
		}
		Invocations []struct{ ExecutionSuccessful bool }
		Results     []struct {
			RuleID       string
			RuleIndex    int
			Kind, Level  string
			Message      struct{ Text string }
			Suppressions []any
			Locations    []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI string }
					Region           struct{ StartLine int }
				}
			}
			PartialFingerprints map[string]string
		}
	}
}

func readSARIF(t *testing.T, f report.SARIF, r *report.Report) *log {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b, r.Stream()); err != nil {
		t.Fatal(err)
	}
	var l log
	if err := json.Unmarshal(b.Bytes(), &l); err != nil {
		t.Fatalf("%v in %s", err, b.String())
	}
	return &l
}

// Every finding is a result of its own: of the rule that its index names, at its level, and
// with a fingerprint of its own that the line does not change.
func TestSARIF(t *testing.T) {
	l := readSARIF(t, report.SARIF{Locate: locate}, exempted())
	run := l.Runs[0]
	var got []string
	prints := map[string]bool{}
	for _, r := range run.Results {
		if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
			t.Errorf("%s is of rule %d", r.RuleID, r.RuleIndex)
		}
		line := r.RuleID + " " + r.Kind + " " + r.Level
		if len(r.Suppressions) > 0 {
			line += " suppressed"
		}
		got = append(got, line)
		prints[r.PartialFingerprints["hardgate/v1"]] = true
	}
	want := []string{
		"first fail error", "first fail error", "third fail error", "second-of-them fail error",
		"first fail warning suppressed", "third fail note suppressed", "third fail note",
	}
	if diff := cmp.Diff(want, got); diff != "" || len(prints) != len(want) {
		t.Errorf("%d fingerprints (-want +got):\n%s", len(prints), diff)
	}
	moved := readSARIF(t, report.SARIF{}, exempted())
	if a, b := run.Results[0], moved.Runs[0].Results[0]; a.Locations[0].PhysicalLocation.Region.StartLine != 4 || a.PartialFingerprints["hardgate/v1"] != b.PartialFingerprints["hardgate/v1"] {
		t.Errorf("%+v and %+v", a, b)
	}
	if run.Invocations[0].ExecutionSuccessful || !readSARIF(t, report.SARIF{}, report.New(nil, report.Summary{}, nil)).Runs[0].Invocations[0].ExecutionSuccessful {
		t.Error("whether all could be read is not said")
	}
	kinds := map[string]int{}
	for _, r := range readSARIF(t, report.SARIF{All: true}, exempted()).Runs[0].Results {
		if kinds[r.Kind]++; (r.Kind == "fail") != (r.Level != "none") {
			t.Errorf("%s at level %s", r.Kind, r.Level)
		}
	}
	if diff := cmp.Diff(map[string]int{"fail": 7, "pass": 1, "open": 1, "notApplicable": 1, "review": 1}, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}

// The name of a file is a reference that every reader resolves alike.
func TestSARIFFiles(t *testing.T) {
	files := map[string]string{
		"web.yaml": "web.yaml", "./deploy//web.yaml": "deploy/web.yaml", "../a b/100%.yaml": "../a%20b/100%25.yaml", "/srv/x#1?.yaml": "file:///srv/x%231%3F.yaml",
		"a:b.yaml": "./a:b.yaml", filepath.Join("deploy", "web.yaml"): "deploy/web.yaml", `deploy\web.yaml`: "deploy%5Cweb.yaml",
	}
	if filepath.Separator == '\\' { // a letter like any other elsewhere
		files = map[string]string{`deploy\web.yaml`: "deploy/web.yaml", `C:\deploy\web.yaml`: "file:///C:/deploy/web.yaml"}
	}
	for file, want := range files {
		l := readSARIF(t, report.SARIF{Locate: func(report.Object, string) (string, int) { return file, 1 }}, sample())
		if got := l.Runs[0].Results[0].Locations[0].PhysicalLocation.ArtifactLocation.URI; got != want {
			t.Errorf("%q is %q, want %q", file, got, want)
		}
	}
}

// What is added up is what is there, and what no XML may hold harms nothing.
func TestJUnit(t *testing.T) {
	var b bytes.Buffer
	if err := (report.JUnit{}).Write(&b, exempted().Stream()); err != nil {
		t.Fatal(err)
	}
	type counts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	var got struct {
		counts
		Suites []struct {
			counts
			Name  string `xml:"name,attr"`
			Cases []struct {
				Failure, Error, Skipped *struct{} `xml:",omitempty"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, b.String())
	}
	sum, names := counts{}, []string{}
	for _, s := range got.Suites {
		sum.Tests, sum.Failures, sum.Errors, sum.Skipped = sum.Tests+s.Tests, sum.Failures+s.Failures, sum.Errors+s.Errors, sum.Skipped+s.Skipped
		names = append(names, s.Name)
		if len(s.Cases) != s.Tests {
			t.Errorf("%s: %d cases of %d", s.Name, len(s.Cases), s.Tests)
		}
	}
	if want := (counts{10, 4, 2, 3}); sum != want || got.counts != want {
		t.Errorf("%+v in all, %+v of the suites", got.counts, sum)
	}
	want := []string{"Deployment shop/web", "Pod a\ufffd[31m\n\u202e서버", "Pod shop/web-1 and 2 more (of Deployment/web)", "Cluster c0", "input"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
