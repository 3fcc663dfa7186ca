//go:build linux

package check

import (
	"slices"
	"testing"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/process"
	"github.com/hardgate-dev/hardgate/nodecheck/mounttest"
)

// TestPartsOfThisMachine: with the usual directories mounted one by one, this machine gets
// the verdicts that it gets as a whole.
func TestPartsOfThisMachine(t *testing.T) {
	if !mounttest.Allowed(t) {
		return
	}
	root, err := host.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	inParts, err := host.OpenParts(mounttest.Container(t, "/", directories...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = inParts.Close() })
	h := host.New(root)
	whole, parts := Run(h, All(), NewRules()), Run(host.New(inParts), All(), NewRules())
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
