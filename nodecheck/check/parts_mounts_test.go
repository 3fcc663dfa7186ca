//go:build linux

package check

import (
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/process"
	"github.com/hardgate-dev/hardgate/nodecheck/mounttest"
)

// TestPartsMounted is TestParts with real files and real mounts, for whole systems.
func TestPartsMounted(t *testing.T) {
	if !mounttest.Allowed(t) {
		return
	}
	for _, name := range systems {
		archive, err := txtar.ParseFile(filepath.Join("testdata", "systems", name+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		mounttest.Write(t, nodeTree(t, archive), dir)
		whole := Run(host.New(open(t, host.Open, dir)), All(), NewRules())
		parts := Run(host.New(open(t, host.OpenParts, mounttest.Container(t, dir, directories...))), All(), NewRules())
		sameInParts(t, name, whole, parts, unknownInParts[name])
	}
}

func open(t *testing.T, how func(string) (*host.Root, error), dir string) *host.Root {
	t.Helper()
	root, err := how(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return root
}

// TestPartsOfThisMachine: with the usual directories mounted one by one, this machine gets
// the verdicts that it gets as a whole.
func TestPartsOfThisMachine(t *testing.T) {
	if !mounttest.Allowed(t) {
		return
	}
	h := host.New(open(t, host.Open, "/"))
	whole := Run(h, All(), NewRules())
	parts := Run(host.New(open(t, host.OpenParts, mounttest.Container(t, "/", directories...))), All(), NewRules())
	var absent []control.ID
	if table, err := process.Read(h); err != nil || len(table.Named(process.Kubelet)) == 0 {
		absent = kubeletControls() // whose agent would not run either
	}
	for i, v := range whole {
		switch got := parts[i]; {
		case got.Status == control.Unknown && slices.Contains(absent, v.Control) && says(got, host.ErrNotMounted):
		case got.Status != v.Status:
			t.Errorf("%s is %s in parts and %s of the whole: %q, %q", v.Control, got.Status, v.Status, lines(got.Findings), lines(v.Findings))
		case summary([]Verdict{got}) != summary([]Verdict{v}):
			t.Logf("%s is told in other words:\n%s%s", v.Control, summary([]Verdict{got}), summary([]Verdict{v}))
		}
	}
}
