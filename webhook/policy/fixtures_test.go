package policy_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

var update = flag.Bool("update", false, "write what the policies find into the fixtures; read the diff")

// fixture is one file of testdata/<control id>: an object in YAML under a header
// of "# key: value" lines.
//
//	status      Pass, Fail, NotApplicable or Manual; the file's name starts with it
//	finding     path: detail; one line for each, in order
//	parameters  v1alpha1.Parameters in JSON; optional
//	account     automountServiceAccountToken of the pod's account; optional
//	admitted    true for an object that comes from the API server; optional
//	stored      true for an object that is in the cluster already; optional
//	fixed       yes, partly or no: what Fix makes of a failing object
type fixture struct {
	policy   *policy.Policy
	file     string // below testdata
	status   control.Status
	findings []string
	subject  policy.Subject // without its Object
	fixed    string
	json     []byte
}

// prefixes are what a fixture's name starts with.
var prefixes = map[control.Status]string{
	control.Pass: "pass-", control.Fail: "fail-", control.NotApplicable: "na-", control.ByHand: "manual-",
}

func parseFixture(file string, text []byte) (fixture, error) {
	f := fixture{file: file}
	for line := range strings.Lines(string(text)) {
		header, ok := strings.CutPrefix(line, "# ")
		if !ok {
			break
		}
		key, value, _ := strings.Cut(strings.TrimSuffix(header, "\n"), ": ")
		var err error
		switch key {
		case "status":
			f.status = control.Status(value)
		case "finding":
			f.findings = append(f.findings, value)
		case "parameters":
			d := json.NewDecoder(strings.NewReader(value))
			d.DisallowUnknownFields()
			err = d.Decode(&f.subject.Parameters)
		case "account":
			f.subject.AccountAutomount.Set = true
			err = json.Unmarshal([]byte(value), &f.subject.AccountAutomount.Value)
		case "admitted":
			err = json.Unmarshal([]byte(value), &f.subject.Admitted)
		case "stored":
			err = json.Unmarshal([]byte(value), &f.subject.Stored)
		case "fixed":
			f.fixed = value
		default:
			err = fmt.Errorf("unknown key")
		}
		if err != nil {
			return f, fmt.Errorf("header %q: %w", key, err)
		}
	}
	if prefix, known := prefixes[f.status]; !known || !strings.HasPrefix(path.Base(file), prefix) {
		return f, fmt.Errorf("status %q does not go with the file's name", f.status)
	}
	var err error
	f.json, err = yaml.YAMLToJSONStrict(text)
	return f, err
}

// fixtures reads all of testdata and fails for what should not be there.
func fixtures(t *testing.T) []fixture {
	t.Helper()
	var all []fixture
	testdata := os.DirFS("testdata")
	err := fs.WalkDir(testdata, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		folder, name := path.Split(file)
		p, ok := policy.Get(control.ID(strings.TrimSuffix(folder, "/")))
		if !ok || path.Ext(name) != ".yaml" {
			t.Errorf("testdata/%s belongs to no policy", file)
			return nil
		}
		text, err := fs.ReadFile(testdata, file)
		if err != nil {
			return err
		}
		f, err := parseFixture(file, text)
		if err != nil {
			t.Errorf("testdata/%s: %v", file, err)
			return nil
		}
		f.policy = p
		all = append(all, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// judge decodes an object and judges it by the fixture's policy and facts.
func (f *fixture) judge(t *testing.T, object []byte) (policy.Verdict, *policy.Subject) {
	t.Helper()
	o, err := workload.Decode(object)
	if err != nil {
		t.Fatalf("%s: %v", object, err)
	}
	s := f.subject
	s.Object = &o
	return f.policy.Judge(&s), &s
}

func (f *fixture) judgeTree(t *testing.T, tree map[string]any) (policy.Verdict, *policy.Subject) {
	t.Helper()
	return f.judge(t, marshal(t, tree))
}

func lines(findings []policy.Finding) []string {
	var all []string
	for _, f := range findings {
		all = append(all, f.Path+": "+f.Detail)
	}
	return all
}

func sames(findings []policy.Finding) []string {
	var all []string
	for _, f := range findings {
		all = append(all, f.Same)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestFixtures(t *testing.T) {
	for _, f := range fixtures(t) {
		t.Run(f.file, func(t *testing.T) {
			verdict, _ := f.judge(t, f.json)
			if verdict.Status != f.status {
				t.Errorf("status is %s, want %s", verdict.Status, f.status)
			}
			got := lines(verdict.Findings)
			if *update {
				f.rewrite(t, got)
				return
			}
			if diff := cmp.Diff(f.findings, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if again, _ := f.judge(t, f.json); !cmp.Equal(again, verdict) {
				t.Errorf("judged again: %v, first %v", again, verdict)
			}
		})
	}
}

// rewrite puts finding lines behind the status line.
func (f *fixture) rewrite(t *testing.T, findings []string) {
	t.Helper()
	file := path.Join("testdata", f.file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "# finding: ") {
			continue
		}
		out.WriteString(line)
		if strings.HasPrefix(line, "# status: ") {
			for _, finding := range findings {
				fmt.Fprintf(&out, "# finding: %s\n", finding)
			}
		}
	}
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestEveryPolicyHasFixtures(t *testing.T) {
	count := map[control.ID]map[control.Status]int{}
	for _, f := range fixtures(t) {
		if count[f.policy.ID] == nil {
			count[f.policy.ID] = map[control.Status]int{}
		}
		count[f.policy.ID][f.status]++
		switch f.status {
		case control.Fail:
			count[f.policy.ID][control.Status("fixed "+f.fixed)]++
		default:
			if f.fixed != "" || len(f.findings) > 0 {
				t.Errorf("%s does not fail and has headers that say so", f.file)
			}
		}
	}
	for _, p := range policy.All() {
		want := []control.Status{control.Pass, control.Fail, control.NotApplicable}
		if p.Undecidable != nil {
			want = append(want, control.ByHand)
		}
		if p.Fix != nil {
			want = append(want, "fixed yes", "fixed no")
		}
		for _, status := range want {
			if count[p.ID][status] == 0 {
				t.Errorf("%s has no fixture with status %s", p.ID, status)
			}
		}
		if known := count[p.ID]["fixed "]; (p.Fix != nil) == (known > 0) {
			t.Errorf("%s: %d failing fixtures do not say what Fix does", p.ID, known)
		}
	}
}

func TestParseFixtureRefuses(t *testing.T) {
	tests := map[string]struct{ file, text, want string }{
		"unknown key":            {"a/pass-x.yaml", "# statsu: Pass\n{}", `header "statsu": unknown key`},
		"comment":                {"a/pass-x.yaml", "# status: Pass\n# just so\n{}", `header "just so": unknown key`},
		"unknown parameter":      {"a/pass-x.yaml", "# parameters: {\"a\":1}\n", `header "parameters": json: unknown field "a"`},
		"no status":              {"a/pass-x.yaml", "{}", `status "" does not go with the file's name`},
		"status of another name": {"a/pass-x.yaml", "# status: Fail\n{}", `status "Fail" does not go with the file's name`},
		"name given twice":       {"a/pass-x.yaml", "# status: Pass\na: 1\na: 2\n", "yaml: unmarshal errors:\n  line 3: key \"a\" already set in map"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parseFixture(tt.file, []byte(tt.text))
			if err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}
