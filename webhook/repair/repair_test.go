package repair

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// exempting covers one container's findings of one control.
func exempting(id control.ID, container string) Exempt {
	return func(of control.ID, f *policy.Finding) string {
		if of == id && f.Container != nil && f.Container.Name == container {
			return "exemption"
		}
		return ""
	}
}

// Only rulings that ask for it repair, whatever their mode.
func TestMakeAsksEachRuling(t *testing.T) {
	raw := podOf(`{}`, `{"containers":[{"name":"a"}]}`)
	judged := ruled(t, "net-raw seccomp")
	judged[0].Rulings = []ruling.Ruling{{Mode: control.Enforce}, {Mode: control.Warn, Repair: true}, {Mode: control.Audit, Repair: true}}
	judged[1].Rulings = []ruling.Ruling{{Mode: control.Enforce}}
	s := subjectOf(t, raw)
	r, err := Make([]byte(raw), s, judged, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"op":"add","path":"/spec/containers/0/securityContext","value":{"capabilities":{"drop":["NET_RAW"]}}},` + annotated("net-raw") + `]`
	if string(r.Patch) != want {
		t.Errorf("patch %s\nwant %s", r.Patch, want)
	}
	if diff := cmp.Diff([]string{`net-raw: NET_RAW added to securityContext.capabilities.drop in the container "a"`}, said(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Each ruling repairs under its own parameters; the stricter comes first where they wish
// for different values.
func TestMakeUnderTheRulingsParameters(t *testing.T) {
	p := &policy.Policy{
		ID:     "test",
		Judges: func(*policy.Subject) bool { return true },
		Check: func(s *policy.Subject) []policy.Finding {
			return make([]policy.Finding, len(s.Parameters.AllowedCapabilities))
		},
		Fix: func(s *policy.Subject) (mend []policy.Default) {
			for _, name := range s.Parameters.AllowedCapabilities {
				mend = append(mend,
					policy.Default{Pointer: []string{"spec", "list"}, Value: []any{name}},
					policy.Default{Pointer: []string{"spec", "one"}, Value: name})
			}
			return mend
		},
	}
	ruling := func(repair bool, names ...string) ruling.Ruling {
		return ruling.Ruling{Repair: repair, Parameters: v1alpha1.Parameters{AllowedCapabilities: names}}
	}
	judged := judgedBy(p, ruling(false, "no"), ruling(true, "a"), ruling(true, "b"), ruling(true))
	raw := podOf(`{"annotations":{}}`, `{}`)
	r, err := Make([]byte(raw), subjectOf(t, raw), judged, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"op":"add","path":"/spec/list","value":["a","b"]},{"op":"add","path":"/spec/one","value":"a"},` +
		`{"op":"add","path":"/metadata/annotations/hardgate.dev~1repaired","value":"test"}]`
	if string(r.Patch) != want {
		t.Errorf("patch %s\nwant %s", r.Patch, want)
	}
	if diff := cmp.Diff([]string{"test: a added to spec.list", "test: spec.one set to a", "test: b added to spec.list"}, said(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func judgedBy(p *policy.Policy, rulings ...ruling.Ruling) []ruling.Judged {
	return []ruling.Judged{{Policy: p, Rulings: rulings}}
}

// What cannot be read is an error and no empty patch.
func TestMakeOfWhatIsNotTheSubject(t *testing.T) {
	s := subjectOf(t, podOf(`{}`, `{"containers":[{"name":"a"}]}`))
	for name, raw := range map[string]string{
		"another shape":     podOf(`{}`, `{"containers":{"0":{}}}`),
		"no such container": podOf(`{}`, `{"containers":[]}`),
		"null containers":   podOf(`{}`, `{"containers":null}`),
		"a null container":  podOf(`{}`, `{"containers":[null]}`),
		"no containers":     podOf(`{}`, `{}`),
		"null":              `null`,
		"cut off":           `{"spec":`,
		"empty":             ``,
		"odd annotations":   podOf(`{"annotations":[]}`, `{"containers":[{"name":"a"}]}`),
	} {
		if r, err := Make([]byte(raw), s, ruled(t, "net-raw"), nil); err == nil || r.Patch != nil {
			t.Errorf("%s: patch %s, error %v", name, r.Patch, err)
		}
	}
}

func TestManyContainersAreCounted(t *testing.T) {
	c := Change{Field: "f", Value: []any{"A", "B"}}
	for i := range 12 {
		c.Containers = append(c.Containers, string(rune('a'+i)))
	}
	if got := c.String(); got != `A, B added to f in the containers "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" and 2 more` {
		t.Error(got)
	}
}

// Rulings with other parameters may wish for other values: the stricter comes first, and
// lists are joined.
func TestPlant(t *testing.T) {
	root := &field{}
	at := []string{"spec", "x~/y"}
	first := root.plant(append(slices.Clone(at), "b"), false)
	if again := root.plant(append(slices.Clone(at), "b"), false); again != first {
		t.Error("the same wish has another field")
	}
	if other := root.plant(append(slices.Clone(at), "b"), true); other != nil {
		t.Error("another value is taken")
	}
	one := []any{"A"}
	root.plant(append(slices.Clone(at), "l"), one)
	root.plant(append(slices.Clone(at), "l"), []any{"A", "B"})
	root.there = true
	operations, err := root.additions("")
	if err != nil {
		t.Fatal(err)
	}
	want := []operation{{"add", "/spec", map[string]any{"x~/y": map[string]any{"b": false, "l": []any{"A", "B"}}}}}
	if diff := cmp.Diff(want, operations); diff != "" || len(one) != 1 {
		t.Errorf("%v (-want +got):\n%s", one, diff)
	}
	root.inside[0].there = true
	if operations, err = root.additions(""); err != nil || operations[0].Path != "/spec/x~0~1y" {
		t.Errorf("%v %v", operations, err)
	}
}
