package policy_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
)

// The catalogue's controls that a machine judges at admission are the policies,
// and an id is the name of its file and of its folder.
func TestCatalogue(t *testing.T) {
	here := os.DirFS(".")
	order := control.IDs()
	last := -1
	for _, p := range policy.All() {
		c, ok := control.Get(p.ID)
		if !ok || c.Face != control.Admission || c.Kind != control.Measured {
			t.Errorf("policy %s: the catalogue says %q, %q", p.ID, c.Face, c.Kind)
		}
		if got, ok := policy.Get(p.ID); !ok || got != p {
			t.Errorf("Get(%q) is not the policy that All lists", p.ID)
		}
		for at, id := range order {
			if id != p.ID {
				continue
			}
			if at <= last {
				t.Errorf("policy %s stands before one that the catalogue puts behind it", p.ID)
			}
			last = at
		}
		file := strings.ReplaceAll(string(p.ID), "-", "_") + ".go"
		for _, name := range []string{file, "testdata/" + string(p.ID)} {
			if _, err := fs.Stat(here, name); err != nil {
				t.Errorf("policy %s: %v", p.ID, err)
			}
		}
		text, err := fs.ReadFile(here, file)
		if err != nil || !strings.Contains(string(text), `"`+string(p.ID)+`"`) {
			t.Errorf("policy %s is not in %s", p.ID, file)
		}
	}
	for _, c := range control.All() {
		if _, ok := policy.Get(c.ID); ok != (c.Face == control.Admission && c.Kind == control.Measured) {
			t.Errorf("control %s is %s, %s; it has a policy: %v", c.ID, c.Face, c.Kind, ok)
		}
	}
	if p, ok := policy.Get("no-such-control"); ok || p != nil {
		t.Errorf("Get of an unknown id = %v, %v", p, ok)
	}
}

func TestCallersCannotChangeTheList(t *testing.T) {
	policy.All()[0] = nil
	if policy.All()[0] == nil {
		t.Error("a caller's change is seen by the next caller")
	}
}
