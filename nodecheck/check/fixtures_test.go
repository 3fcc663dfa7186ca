package check

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

var update = flag.Bool("update", false, "write the findings and the evidence of the fixtures")

// kinds of fixtures, by the first word of their names. The first four must exist for
// every check.
var fixtureKinds = []string{"pass", "fail", "absent", "unreadable", "na", "manual", "unknown", "exempt"}

const required = 4

// fixture is one archive below testdata/<id>. Its comment has lines of the form
// "# key: value":
//
//	# status: Fail
//	# benchmark: cis-ubuntu-22.04-3.0.0        (the rules; may be repeated)
//	# modules: usb-storage,floppy              (Rules.Modules)
//	# exempt: the reason                       (Rules.Exempt)
//	# finding: /etc/crontab: mode 0644, want mode 0600 or stricter
//	# evidence: /etc/crontab: owner 0:0, want owner 0:0
//
// Lines that begin with "##" are for people.
type fixture struct {
	path     string
	archive  *txtar.Archive
	status   control.Status
	rules    *Rules
	findings []string
	evidence []string
	keep     []string // the lines that -update keeps
}

func readFixture(t *testing.T, path string) fixture {
	t.Helper()
	f := fixture{path: path}
	var err error
	if f.archive, err = txtar.ParseFile(path); err != nil {
		t.Fatal(err)
	}
	var benchmarks, modules []string
	var exempt string
	for line := range strings.Lines(string(f.archive.Comment)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			continue
		}
		key, value, ok := strings.Cut(strings.TrimPrefix(line, "# "), ": ")
		switch {
		case strings.HasPrefix(line, "##"):
		case !ok || !strings.HasPrefix(line, "# "):
			t.Fatalf("%s: a line that is no \"# key: value\": %q", path, line)
		case key == "status":
			f.status = control.Status(value)
		case key == "benchmark":
			id, err := control.ParseBenchmark(value)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			benchmarks = append(benchmarks, id)
		case key == "modules":
			modules = strings.Split(value, ",")
		case key == "exempt":
			exempt = value
		case key == "finding":
			f.findings = append(f.findings, value)
			continue
		case key == "evidence":
			f.evidence = append(f.evidence, value)
			continue
		default:
			t.Fatalf("%s: unknown key %q", path, key)
		}
		f.keep = append(f.keep, line)
	}
	f.rules = NewRules(benchmarks...)
	f.rules.Modules = modules
	if exempt != "" {
		f.rules.Exempt = map[control.ID]string{control.ID(filepath.Base(filepath.Dir(path))): exempt}
	}
	return f
}

func (f fixture) host(t *testing.T) *host.Host {
	t.Helper()
	tree, err := hosttest.Parse(f.archive)
	if err != nil {
		t.Fatalf("%s: %v", f.path, err)
	}
	return host.New(tree)
}

func lines(findings []Finding) (list []string) {
	for _, f := range findings {
		list = append(list, strings.ReplaceAll(f.String(), "\n", `\n`))
	}
	return list
}

func (f fixture) write(t *testing.T, r Result) {
	t.Helper()
	var b strings.Builder
	for _, line := range f.keep {
		fmt.Fprintln(&b, line)
	}
	for _, line := range lines(r.Findings) {
		fmt.Fprintf(&b, "# finding: %s\n", line)
	}
	for _, line := range lines(r.Evidence) {
		fmt.Fprintf(&b, "# evidence: %s\n", line)
	}
	f.archive.Comment = []byte(b.String())
	if err := os.WriteFile(f.path, txtar.Format(f.archive), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFixtures walks the checks and testdata both ways: a check without its cases
// fails, and so does a folder that no check has.
func TestFixtures(t *testing.T) {
	for _, c := range All() {
		t.Run(string(c.ID), func(t *testing.T) {
			paths, err := filepath.Glob(filepath.Join("testdata", string(c.ID), "*"))
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for _, path := range paths {
				name := filepath.Base(path)
				kind, _, _ := strings.Cut(strings.TrimSuffix(name, ".txtar"), "-")
				if !slices.Contains(fixtureKinds, kind) || filepath.Ext(name) != ".txtar" {
					t.Errorf("%s: no fixture's name: it begins with one of %v and ends in .txtar", path, fixtureKinds)
					continue
				}
				seen[kind] = true
				t.Run(strings.TrimSuffix(name, ".txtar"), func(t *testing.T) { testFixture(t, c, path, kind) })
			}
			for _, kind := range fixtureKinds[:required] {
				if !seen[kind] {
					t.Errorf("testdata/%s has no fixture %s-….txtar", c.ID, kind)
				}
			}
		})
	}
	folders, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if _, ok := Get(control.ID(folder.Name())); !ok && folder.Name() != "systems" {
			t.Errorf("testdata/%s belongs to no check", folder.Name())
		}
	}
}

var wantedStatus = map[string]control.Status{
	"pass": control.Pass, "fail": control.Fail, "na": control.NotApplicable, "manual": control.ByHand,
	"unknown": control.Unknown, "unreadable": control.Unknown, "exempt": control.Exempt,
}

func testFixture(t *testing.T, c *Check, path, kind string) {
	t.Helper()
	f := readFixture(t, path)
	if want, ok := wantedStatus[kind]; ok && f.status != want {
		t.Errorf("the fixture is named %s and wants %s", kind, f.status)
	}
	got := Run(f.host(t), []*Check{c}, f.rules)[0].Result
	if got.Status != f.status {
		t.Errorf("status is %s, want %s\nfindings: %q\nevidence: %q", got.Status, f.status, lines(got.Findings), lines(got.Evidence))
	}
	if *update {
		f.write(t, got)
		return
	}
	if diff := cmp.Diff(f.findings, lines(got.Findings)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(f.evidence, lines(got.Evidence)); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
	for _, found := range slices.Concat(got.Findings, got.Evidence) {
		if found.Where == "" || found.String() == found.Where {
			t.Errorf("a finding that says nothing: %+v", found)
		}
	}
	if got.Status != control.Pass && len(got.Findings) == 0 {
		t.Error("no finding says why")
	}
}

// TestCatalogue: every control of a node has its check, once, in the same order.
func TestCatalogue(t *testing.T) {
	var want, got []control.ID
	for _, c := range control.All() {
		if c.Face == control.Node {
			want = append(want, c.ID)
		}
	}
	for _, c := range All() {
		got = append(got, c.ID)
		if len(c.Reads) == 0 {
			t.Errorf("%s does not say what it reads", c.ID)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
}
