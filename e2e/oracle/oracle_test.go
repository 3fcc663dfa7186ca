package oracle

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	psa "k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

var update = flag.Bool("update", false, "write docs/psa-differences.md")

const (
	ownFixtures = "../../webhook/policy/testdata"
	document    = "../../docs/psa-differences.md"
)

// sample is a pod that both sides judge.
type sample struct {
	name string
	json []byte
	pod  *corev1.Pod
}

// samples are the pods of PSA's own fixtures and of the policies', each content once.
func samples(t *testing.T) []sample {
	t.Helper()
	var all []sample
	seen := map[[sha256.Size]byte]bool{}
	for name, folder := range map[string]string{"psa": psaFixtures(t), "hardgate": ownFixtures} {
		before := len(all)
		tree := os.DirFS(folder)
		err := fs.WalkDir(tree, ".", func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(file) != ".yaml" {
				return err
			}
			text, err := fs.ReadFile(tree, file)
			if err != nil {
				return err
			}
			object, err := yaml.YAMLToJSON(text)
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			sum := sha256.Sum256(object)
			if seen[sum] {
				return nil
			}
			seen[sum] = true
			pod := &corev1.Pod{}
			var kind struct{ Kind string }
			if err := json.Unmarshal(object, &kind); err != nil || kind.Kind != "Pod" {
				return err
			}
			if err := json.Unmarshal(object, pod); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			all = append(all, sample{name + "/" + file, object, pod})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(all) - before; n < 200 {
			t.Errorf("only %d pods in %s", n, folder)
		}
	}
	return all
}

// psaFixtures is the folder of PSA's fixtures: its module carries them.
func psaFixtures(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/pod-security-admission").Output()
	if err != nil {
		t.Fatalf("finding the module of Pod Security Admission: %v", err)
	}
	return filepath.Join(string(bytes.TrimSpace(out)), "test", "testdata")
}

// latest are PSA's checks as of their last version.
func latest() map[psa.CheckID]psa.CheckPodFn {
	checks := map[psa.CheckID]psa.CheckPodFn{}
	for _, c := range psa.DefaultChecks() {
		checks[c.ID] = c.Versions[len(c.Versions)-1].CheckPod
	}
	return checks
}

// refusedByUs is whether a control fails for the pod, with no parameters.
func refusedByUs(t *testing.T, ids []control.ID, s sample) bool {
	t.Helper()
	object, err := workload.Decode(s.json)
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	refused := false
	for _, id := range ids {
		p, ok := policy.Get(id)
		if !ok {
			t.Fatalf("no policy %s", id)
		}
		refused = refused || p.Judge(&policy.Subject{Object: &object}).Status == control.Fail
	}
	return refused
}

func refusedByPSA(checks map[psa.CheckID]psa.CheckPodFn, ids []psa.CheckID, pod *corev1.Pod) bool {
	return slices.ContainsFunc(ids, func(id psa.CheckID) bool { return !checks[id](&pod.ObjectMeta, &pod.Spec).Allowed })
}

// Both sides give every pod the same verdict, or the table says why not. What the
// table says is seen in some pod.
func TestDifferences(t *testing.T) {
	checks := latest()
	all := samples(t)
	seen := make([]int, len(differences))
	for _, c := range comparisons {
		agreed := map[bool]int{}
		for _, s := range all {
			ours, theirs := refusedByUs(t, c.controls, s), refusedByPSA(checks, c.checks, s.pod)
			if ours == theirs {
				agreed[ours]++
				continue
			}
			towards := looser
			if ours {
				towards = stricter
			}
			explained := false
			for i, d := range differences {
				if slices.Contains(c.controls, d.control) && d.direction == towards && d.explains(s.pod) {
					seen[i]++
					explained = true
				}
			}
			if !explained {
				t.Errorf("%v against %v: %s, and no difference explains it: %s", c.controls, c.checks, towards, s.name)
			}
		}
		if agreed[true] == 0 || agreed[false] == 0 {
			t.Errorf("%v against %v: they agree on refusing %d pods and on letting %d pass", c.controls, c.checks, agreed[true], agreed[false])
		}
	}
	for i, d := range differences {
		if seen[i] == 0 {
			t.Errorf("%s, %s when %s: no pod shows it", d.control, d.direction, d.when)
		}
	}
}

// Every control and every check is compared or said to stand alone, not both.
func TestComparisonsAreComplete(t *testing.T) {
	controls, checks := map[control.ID]int{}, map[psa.CheckID]int{}
	for _, c := range comparisons {
		for _, id := range c.controls {
			controls[id]++
		}
		for _, id := range c.checks {
			checks[id] = 1 // capabilities_restricted is compared twice
		}
	}
	for id := range alone {
		controls[id]++
	}
	for id := range unmatched {
		checks[id]++
	}
	for _, p := range policy.All() {
		if controls[p.ID] != 1 {
			t.Errorf("control %s is placed %d times", p.ID, controls[p.ID])
		}
		delete(controls, p.ID)
	}
	for id := range latest() {
		if checks[id] != 1 {
			t.Errorf("check %s is placed %d times", id, checks[id])
		}
		delete(checks, id)
	}
	if len(controls)+len(checks) > 0 {
		t.Errorf("neither controls nor checks: %v, %v", controls, checks)
	}
}

func TestDocument(t *testing.T) {
	got := render()
	if *update {
		if err := os.WriteFile(document, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s is not what the tables say: run this test with -update and read the diff", document)
	}
}

func render() []byte {
	var b bytes.Buffer
	b.WriteString(`# Where hardgate and Pod Security Admission differ

Written by the tests of e2e/oracle from their tables; do not edit. The tests judge
the pods of Pod Security Admission's own fixtures and of hardgate's by both, PSA's
checks at their latest version and hardgate's controls without parameters. Every
other verdict is the same.

| Control | PSA check | Refused by one side only | When | Why |
|---|---|---|---|---|
`)
	for _, c := range comparisons {
		var names []string
		for _, id := range c.checks {
			names = append(names, "`"+string(id)+"`")
		}
		checks := strings.Join(names, ", ")
		for _, id := range c.controls {
			none := true
			for _, d := range differences {
				if d.control == id {
					none = false
					fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", id, checks, d.direction, d.when, d.reason)
				}
			}
			if none {
				fmt.Fprintf(&b, "| `%s` | %s | | never | |\n", id, checks)
			}
		}
	}
	b.WriteString("\n## Controls that Pod Security Admission has not\n\n")
	for _, p := range policy.All() {
		if reason, ok := alone[p.ID]; ok {
			fmt.Fprintf(&b, "* `%s`: %s\n", p.ID, reason)
		}
	}
	b.WriteString("\n## Checks that hardgate has not\n\nSection 5 of the benchmark has no row for them; run Pod Security Admission besides hardgate to have them.\n\n")
	for _, id := range slices.Sorted(maps.Keys(unmatched)) {
		fmt.Fprintf(&b, "* `%s`: %s\n", id, unmatched[id])
	}
	return b.Bytes()
}
