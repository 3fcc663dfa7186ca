package roster

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/taint/key"
)

var (
	at      = metav1.NewTime(start)
	drifted = corev1.Taint{Key: key.Drifted, Effect: corev1.TaintEffectNoSchedule, TimeAdded: &at}
	other   = corev1.Taint{Key: "example.com/other", Effect: corev1.TaintEffectNoSchedule}
)

// carries is whether the planner sees our taint on the node a.
func (w *watched) carries() bool {
	return slices.ContainsFunc(w.a().Taints, func(t corev1.Taint) bool { return t.Key == key.Drifted && t.TimeAdded != nil })
}

// What is being written counts, and so does what is being removed.
func TestWritesUnderWay(t *testing.T) {
	w := newWatched(t)
	n := node("a")
	n.Spec.Taints = []corev1.Taint{other}
	w.see(n)
	base, unsure := w.BeginTaints("a", "uid-a", []corev1.Taint{drifted})
	if base == nil || unsure || !w.carries() || len(w.View().Unsure) > 0 {
		t.Fatalf("base %v, unsure %t, taints %v", base, unsure, w.a().Taints)
	}
	w.see(n) // a heartbeat in between proves nothing: the write is under way
	if !w.carries() {
		t.Error("what is under way does not count any more")
	}
	w.EndTaints("a", "uid-a", nil)
	if w.carries() {
		t.Error("what was not written counts")
	}

	w.BeginTaints("a", "uid-a", []corev1.Taint{drifted})
	n.Spec.Taints = []corev1.Taint{other, drifted}
	n.ResourceVersion = w.next()
	w.changed()
	w.EndTaints("a", "uid-a", n)
	if !w.carries() || !w.changed() {
		t.Error("what was written does not count")
	}
	if got := w.Node("a", "uid-a").ResourceVersion; got != n.ResourceVersion {
		t.Errorf("version %s", got)
	}

	w.BeginTaints("a", "uid-a", nil)
	if !w.carries() {
		t.Error("what is being removed does not count any more")
	}
	n = n.DeepCopy()
	n.Spec.Taints, n.ResourceVersion = []corev1.Taint{other}, w.next()
	w.EndTaints("a", "uid-a", n)
	if w.carries() {
		t.Error("what was removed counts")
	}
}

// A write of unknown outcome counts until the cluster tells.
func TestWritesInDoubt(t *testing.T) {
	w := newWatched(t)
	w.see(node("a"))
	base, _ := w.BeginTaints("a", "uid-a", []corev1.Taint{drifted})
	w.changed()
	w.DoubtTaints("a", "uid-a", base.ResourceVersion)
	if !w.carries() || !w.View().Unsure["a"] || !w.changed() {
		t.Error("it does not count")
	}
	// It is seen again as it was: that says nothing.
	w.SetNode(base)
	if !w.carries() {
		t.Error("it does not count after what was known before")
	}
	again, unsure := w.BeginTaints("a", "uid-a", []corev1.Taint{drifted})
	if again == nil || !unsure || w.View().Unsure["a"] {
		t.Error("the next to try is not told")
	}
	w.DoubtTaints("a", "uid-a", base.ResourceVersion)
	// A heartbeat: the patch was for the version before, and can no longer come.
	w.changed()
	w.see(node("a"))
	if w.carries() || !w.changed() || len(w.View().Unsure) > 0 {
		t.Error("it counts though it can no longer come to pass")
	}

	// The heartbeat came while it was under way.
	base, _ = w.BeginTaints("a", "uid-a", []corev1.Taint{drifted})
	w.see(node("a"))
	w.DoubtTaints("a", "uid-a", base.ResourceVersion)
	if w.carries() {
		t.Error("it counts though the node is known to be without it")
	}
	// The last try was by a version that no informer has shown yet.
	w.BeginTaints("a", "uid-a", []corev1.Taint{drifted})
	between := node("a")
	between.ResourceVersion = w.next()
	w.DoubtTaints("a", "uid-a", w.next())
	w.SetNode(between)
	if !w.carries() {
		t.Error("a version before that of the try ends the doubt")
	}
}

// What is in doubt stays so while others try in vain to find out.
func TestWritesStayInDoubt(t *testing.T) {
	w := newWatched(t)
	w.see(node("a"))
	w.BeginTaints("a", "uid-a", []corev1.Taint{drifted})
	between := node("a")
	between.ResourceVersion = w.next()
	w.DoubtTaints("a", "uid-a", w.next())
	// The next decision is to set nothing; the node could not even be read.
	w.BeginTaints("a", "uid-a", nil)
	if !w.carries() {
		t.Error("what is in doubt does not count while another decision is written")
	}
	w.DoubtTaints("a", "uid-a", "")
	w.SetNode(between)
	if !w.carries() || !w.View().Unsure["a"] {
		t.Error("the doubt is forgotten with a write that was not sent")
	}
	// It was read as it was when the patch was sent: it may still come.
	w.BeginTaints("a", "uid-a", nil)
	same := node("a")
	same.ResourceVersion = "3"
	w.EndTaints("a", "uid-a", same)
	if !w.carries() || !w.View().Unsure["a"] {
		t.Error("the doubt is over though nothing tells how it ended")
	}
	w.see(node("a"))
	if w.carries() || len(w.View().Unsure) > 0 {
		t.Error("the doubt is not over")
	}
}

func TestWritesOfOtherNodes(t *testing.T) {
	w := newWatched(t)
	w.see(node("a"))
	if base, _ := w.BeginTaints("a", "uid-before", []corev1.Taint{drifted}); base != nil || w.carries() {
		t.Error("begun for another node of the name")
	}
	if base, _ := w.BeginTaints("b", "uid-b", nil); base != nil {
		t.Error("begun for no node")
	}
	w.BeginTaints("a", "uid-a", []corev1.Taint{drifted})
	next := node("a")
	next.UID = "uid-next"
	w.see(next)
	if w.carries() {
		t.Error("the next node of the name counts as tainted")
	}
	w.EndTaints("a", "uid-a", nil)
	w.DoubtTaints("a", "uid-a", "1")
	if len(w.View().Unsure) > 0 {
		t.Error("an end that came late is of another node")
	}
}

func TestPolicies(t *testing.T) {
	w := newWatched(t)
	w.see(node("a"))
	w.SetReport(w.report("uid-a", "Pass"))
	if v := w.View(); len(v.Orders) > 0 || !v.Nodes["a"].Report.Current {
		t.Errorf("orders %v", v.Orders)
	}
	w.changed()
	w.policy("one", "{benchmark: aks-host, controls: [{id: mod-unnecessary, parameters: {unnecessaryModules: [floppy]}}]}")
	v := w.View()
	if !w.changed() || len(v.Fleet.Misunderstood) > 0 || len(v.Orders) != 1 || len(v.Orders[0].Spec.Benchmarks) != 1 || v.Nodes["a"].Report.Current {
		t.Fatalf("orders %+v, %v", v.Orders, v.Fleet.Misunderstood)
	}
	r := w.report("uid-a", "Pass")
	r.Spec, r.Generation, r.Status.ObservedGeneration = &v.Orders[0].Spec, 2, 2
	w.SetReport(r)
	if v := w.View(); len(v.Orders) > 0 || !v.Nodes["a"].Report.Current {
		t.Errorf("followed, and yet %+v", v.Orders)
	}
	w.SetPolicy("one", nil)
	if v := w.View(); len(v.Orders) != 1 || v.Orders[0].Spec.Benchmarks != nil {
		t.Errorf("the order of a policy that is gone stays: %+v", v.Orders)
	}
}

// What is misspelt must not be read as if it were not there.
func TestMisunderstood(t *testing.T) {
	w := newWatched(t)
	w.policy("good", "{mode: Enforce}")
	w.policy("misspelt", "{mode: Enforce, gracePeriode: 1h}")
	w.SetExemption("wrong", stored(t, "Exemption", "wrong", `{controls: [no-such], reason: r, owner: o, expires: "2030-01-01T00:00:00Z", nodes: {names: [a]}}`))
	w.SetExemption("right", stored(t, "Exemption", "right", `{controls: [ssh-x11], reason: r, owner: o, expires: "2030-01-01T00:00:00Z", nodes: {names: [a]}}`))
	v := w.View()
	var all []string
	for _, err := range v.Fleet.Misunderstood {
		all = append(all, err.Error())
	}
	text := strings.Join(all, "\n")
	if len(all) != 2 || !strings.Contains(text, "NodePolicy misspelt: spec.gracePeriode: unknown field") || !strings.Contains(text, "Exemption wrong: spec.controls[0]") {
		t.Errorf("misunderstood: %s", text)
	}
	if len(v.Fleet.Exemptions) != 1 || v.Fleet.Exemptions[0].Name != "right" || len(v.Fleet.Policies.For(nil).Policies) != 1 {
		t.Errorf("%+v", v.Fleet)
	}
	w.SetPolicy("misspelt", nil)
	w.SetExemption("wrong", nil)
	if v := w.View(); len(v.Fleet.Misunderstood) > 0 {
		t.Errorf("mended, and yet %v", v.Fleet.Misunderstood)
	}
}

// One that is about objects alone has no say in what becomes of nodes, whatever is wrong with
// it: the webhook says so, and tainting goes on.
func TestMisunderstoodOfObjects(t *testing.T) {
	w := newWatched(t)
	w.policy("good", "{mode: Enforce}")
	w.SetExemption("kind", stored(t, "Exemption", "kind", `{controls: [privileged], reason: r, owner: o, expires: "2030-01-01T00:00:00Z", objects: {kinds: [pods]}}`))
	w.SetExemption("field", stored(t, "Exemption", "field", `{controls: [privileged], reason: r, owner: o, expires: "2030-01-01T00:00:00Z", objects: {namespace: [shop]}}`))
	if v := w.View(); len(v.Fleet.Misunderstood) > 0 || len(v.Fleet.Exemptions) > 0 {
		t.Errorf("%v, %+v", v.Fleet.Misunderstood, v.Fleet.Exemptions)
	}
	w.SetExemption("field", stored(t, "Exemption", "field", `{controls: [privileged, ssh-x11], reason: r, owner: o, expires: "2030-01-01T00:00:00Z", objects: {namespace: [shop]}}`))
	if v := w.View(); len(v.Fleet.Misunderstood) != 1 || !strings.Contains(v.Fleet.Misunderstood[0].Error(), "Exemption field: spec.objects.namespace: unknown field") {
		t.Errorf("%v", v.Fleet.Misunderstood)
	}
}

func TestPause(t *testing.T) {
	w := newWatched(t)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "hardgate-system"}}
	w.SetNamespace(ns)
	if w.changed() || w.View().Fleet.Paused != "" {
		t.Error("paused without the annotation")
	}
	annotated := ns.DeepCopy()
	annotated.Annotations = map[string]string{"hardgate.dev/pause": ""}
	w.SetNamespace(annotated)
	if !w.changed() || !strings.Contains(w.View().Fleet.Paused, "hardgate-system") {
		t.Errorf("paused by %q", w.View().Fleet.Paused)
	}
	w.SetNamespace(nil)
	if !w.changed() || w.View().Fleet.Paused != "" {
		t.Error("paused by a namespace that is gone")
	}
	policy := stored(t, "NodePolicy", "p", "{mode: Enforce}")
	policy.SetAnnotations(map[string]string{"hardgate.dev/pause": "x", "kubectl.kubernetes.io/last-applied-configuration": "{}"})
	w.see(node("a"))
	w.SetPolicy("p", trimPolicy(policy))
	if got := w.View().Fleet.Policies.For(nil).Paused; len(got) != 1 || len(policy.GetAnnotations()) != 1 {
		t.Errorf("paused policies: %v", got)
	}
}
