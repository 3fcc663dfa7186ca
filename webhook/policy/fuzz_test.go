package policy_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// FuzzJudge gives every policy any object that can be decoded: none panics, every
// verdict is whole, and what Fix does can be applied, once.
func FuzzJudge(f *testing.F) {
	testdata := os.DirFS("testdata")
	files, err := fs.Glob(testdata, "*/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for i, file := range files {
		text, err := fs.ReadFile(testdata, file)
		if err != nil {
			f.Fatal(err)
		}
		object, err := yaml.YAMLToJSON(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(object, i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, text []byte, admitted bool) {
		o, err := workload.Decode(text)
		if err != nil {
			return
		}
		for _, p := range policy.All() {
			s := &policy.Subject{Object: &o, Admitted: admitted}
			before := p.Judge(s)
			if again := p.Judge(s); !cmp.Equal(before, again) {
				t.Errorf("%s: %v, and again: %v", p.ID, before, again)
			}
			if (before.Status == control.Fail) != (len(before.Findings) > 0) {
				t.Errorf("%s: %s with findings %v", p.ID, before.Status, before.Findings)
			}
			for _, finding := range before.Findings {
				if finding.Path == "" || finding.Detail == "" || finding.Same == "" {
					t.Errorf("%s: %+v", p.ID, finding)
				}
			}
			if p.Fix != nil && before.Status == control.Fail {
				fuzzFix(t, p, s, before, text)
			}
		}
	})
}

func fuzzFix(t *testing.T, p *policy.Policy, s *policy.Subject, before policy.Verdict, text []byte) {
	t.Helper()
	tree, whole := unmarshal(t, text), unmarshal(t, text)
	if err := apply(tree, p.Fix(s)); err != nil {
		t.Fatalf("%s: %v", p.ID, err)
	}
	if err := keeps("", whole, tree); err != nil {
		t.Errorf("%s: %v", p.ID, err)
	}
	fixed, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	o, err := workload.Decode(fixed)
	if err != nil {
		t.Fatalf("%s: the fixed object is not read: %v\n%s", p.ID, err, fixed)
	}
	after := &policy.Subject{Object: &o, Admitted: s.Admitted}
	if more := p.Fix(after); len(more) > 0 {
		t.Errorf("%s: a second Fix returns %v", p.ID, more)
	}
	had := sames(before.Findings)
	if now := sames(p.Judge(after).Findings); !contains(had, now) {
		t.Errorf("%s: Fix brings a new fault: %q, had %q", p.ID, now, had)
	}
	if slices.ContainsFunc(p.Fix(s), func(d policy.Default) bool { return !strings.HasPrefix(strings.Join(d.Pointer, "."), at(s)) }) {
		t.Errorf("%s: Fix leaves the pod", p.ID)
	}
}

// at is where fixes of the subject belong.
func at(s *policy.Subject) string {
	if s.Pod == nil {
		return ""
	}
	return s.Pod.At + "."
}
