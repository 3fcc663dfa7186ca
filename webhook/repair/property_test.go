package repair

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// fixture is one of webhook/policy/testdata, of whatever policy.
type fixture struct {
	file  string
	id    control.ID
	fixed bool // whether its policy's Fix makes it pass
	raw   []byte
}

func fixtures(tb testing.TB) []fixture {
	tb.Helper()
	testdata := os.DirFS("../policy/testdata")
	var all []fixture
	err := fs.WalkDir(testdata, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(testdata, file)
		if err != nil {
			return err
		}
		raw, err := yaml.YAMLToJSON(text)
		all = append(all, fixture{
			file: file, id: control.ID(path.Dir(file)), fixed: bytes.Contains(text, []byte("\n# fixed: yes\n")), raw: raw,
		})
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// repaired applies a repair to an object as the API server does.
func repaired(raw []byte, r Repair) ([]byte, error) {
	if r.Patch == nil {
		return raw, nil
	}
	patch, err := jsonpatch.DecodePatch(r.Patch)
	if err != nil {
		return nil, err
	}
	return patch.Apply(raw)
}

func decode(tb testing.TB, raw []byte) any {
	tb.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		tb.Fatal(err)
	}
	return tree
}

// kept says what of an object another one does not have. null is nothing, a list may have
// more at its end, and the annotation is ours.
func kept(at string, before, after any) error {
	switch before := before.(type) {
	case nil:
		return nil
	case map[string]any:
		now, ok := after.(map[string]any)
		if !ok {
			return fmt.Errorf("%s is %v", at, after)
		}
		for _, name := range slices.Sorted(maps.Keys(before)) {
			if name == Annotation && at == ".metadata.annotations" {
				continue
			}
			if err := kept(at+"."+name, before[name], now[name]); err != nil {
				return err
			}
		}
	case []any:
		now, ok := after.([]any)
		if !ok || len(now) < len(before) {
			return fmt.Errorf("%s is %v", at, after)
		}
		for i := range before {
			if err := kept(fmt.Sprintf("%s[%d]", at, i), before[i], now[i]); err != nil {
				return err
			}
		}
	default:
		if before != after {
			return fmt.Errorf("%s was %v and is %v", at, before, after)
		}
	}
	return nil
}

// leaves are the values that one has and the other has not, by the end of their paths.
func leaves(at string, before, after any, found map[string]bool) {
	switch after := after.(type) {
	case map[string]any:
		had, _ := before.(map[string]any)
		for name, v := range after {
			leaves(at+"/"+name, had[name], v, found)
		}
	case []any:
		had, _ := before.([]any)
		for i, v := range after {
			var old any
			if i < len(had) {
				old = had[i]
			}
			leaves(at, old, v, found)
		}
	default:
		if before != after {
			found[fmt.Sprintf("%s=%v", at, after)] = true
		}
	}
}

// additions are all values that a repair ever adds.
var additions = []string{
	"/securityContext/capabilities/drop=NET_RAW",
	"/securityContext/allowPrivilegeEscalation=false",
	"/spec/securityContext/seccompProfile/type=RuntimeDefault",
	"/automountServiceAccountToken=false",
}

// check holds a repair to what every repair is, and returns the repaired object.
func check(tb testing.TB, raw []byte, judged []ruling.Judged) []byte {
	tb.Helper()
	o, err := workload.Decode(raw)
	if err != nil {
		return raw
	}
	s := &policy.Subject{Object: &o, Admitted: true}
	r, err := Make(raw, s, judged, nil)
	if err != nil {
		if r.Patch != nil {
			tb.Errorf("an error and a patch: %v %s", err, r.Patch)
		}
		return raw
	}
	if (r.Patch == nil) != (len(r.Changes) == 0) {
		tb.Errorf("patch %s, changes %q", r.Patch, said(r))
	}
	after, err := repaired(raw, r)
	if err != nil {
		tb.Fatalf("%s cannot be applied to %s: %v", r.Patch, raw, err)
	}
	before, now := decode(tb, raw), decode(tb, after)
	if err := kept("", before, now); err != nil {
		tb.Error(err)
	}
	added := map[string]bool{}
	leaves("", before, now, added)
	for what := range added {
		ours := strings.HasPrefix(what, "/metadata/annotations/"+Annotation+"=") ||
			slices.ContainsFunc(additions, func(end string) bool { return strings.HasSuffix(what, end) })
		if !ours {
			tb.Errorf("%s is added", what)
		}
	}
	o, err = workload.Decode(after)
	if err != nil {
		tb.Fatalf("%v: %s", err, after)
	}
	again, err := Make(after, &policy.Subject{Object: &o, Admitted: true}, judged, nil)
	if err != nil || again.Patch != nil || len(again.Changes) > 0 {
		tb.Errorf("repaired again: %s, error %v", again.Patch, err)
	}
	return after
}

// Every object that is in the testdata of any policy, repaired by all controls at once.
func TestFixturesRepaired(t *testing.T) {
	counts := map[control.ID]int{}
	for _, f := range fixtures(t) {
		o, err := workload.Decode(f.raw)
		if err != nil {
			continue // of no kind that is judged here
		}
		t.Run(f.file, func(t *testing.T) {
			after, err := workload.Decode(check(t, f.raw, ruled(t, all)))
			if err != nil {
				t.Fatal(err)
			}
			p, _ := policy.Get(f.id)
			verdict := p.Judge(&policy.Subject{Object: &after, Admitted: true})
			if !f.fixed || o.Pod != nil && (o.Pod.Template || o.Mirror) {
				return
			}
			counts[f.id]++
			if verdict.Status != control.Pass {
				t.Errorf("%s after the repair: %v", verdict.Status, verdict.Findings)
			}
		})
	}
	for id := range strings.FieldsSeq(all) {
		if counts[control.ID(id)] == 0 {
			t.Errorf("no object was repaired for %s", id)
		}
	}
}

func FuzzRepair(f *testing.F) {
	for _, fixture := range fixtures(f) {
		f.Add(fixture.raw)
	}
	f.Add([]byte(podOf(`{"annotations":{"hardgate.dev/repaired":"seccomp"}}`, `{"containers":[{"name":"a","securityContext":{"capabilities":{"drop":[]}}}]}`)))
	judged := make([]ruling.Judged, 0, 4)
	for id := range strings.FieldsSeq(all) {
		p, _ := policy.Get(control.ID(id))
		judged = append(judged, ruling.Judged{Policy: p, Rulings: []ruling.Ruling{{Mode: control.Audit, Repair: true}}})
	}
	f.Fuzz(func(t *testing.T, raw []byte) { check(t, raw, judged) })
}
