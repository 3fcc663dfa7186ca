package roster

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/taint"
)

// The reduced type reads what the full one writes.
func TestReportDecodes(t *testing.T) {
	full := v1alpha1.NodeReport{
		TypeMeta:   metav1.TypeMeta{APIVersion: "hardgate.dev/v1alpha1", Kind: "NodeReport"},
		ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "u", Generation: 3, OwnerReferences: ownedBy("uid-a"), ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "m"}}},
		Spec:       &v1alpha1.NodeReportSpec{Benchmarks: []string{"b"}, UnnecessaryModules: []string{"m"}},
		Status: v1alpha1.NodeReportStatus{
			ObservedGeneration: 3, AgentVersion: "v1", RuleSet: "r1", OS: "Ubuntu", Summary: v1alpha1.NodeSummary{Fail: 1},
			Results: []v1alpha1.NodeResult{
				{Control: "ssh-x11", Status: "Fail", Findings: []v1alpha1.NodeFinding{{Path: "/etc/ssh/sshd_config:1"}}},
				{Control: "perm-crontab", Status: "Manual"},
				{Control: "host-ports", Status: "Fail"},
				{Control: "made-up", Status: "Fail"},
				{Control: "su-restricted", Status: "Whatever"},
			},
		},
	}
	data, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	var r NodeReport
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	w := newWatched(t)
	trimmed := w.trimReport(&r)
	if w.trimReport(trimmed) != trimmed {
		t.Error("what is trimmed is trimmed again")
	}
	if diff := cmp.Diff(full.OwnerReferences, trimmed.OwnerReferences); diff != "" || trimmed.ManagedFields != nil || trimmed.Status.Results != nil {
		t.Errorf("%s %+v", diff, trimmed)
	}
	got, order := trimmed.reading([]string{"b"}, []string{"m"})
	want := &taint.Report{RuleSet: taint.RuleSetID{AgentVersion: "v1", RuleSet: "r1"}, Current: true, Results: map[control.ID]control.Status{
		"ssh-x11": control.Fail, "perm-crontab": control.ByHand, "su-restricted": control.Unknown,
	}}
	if diff := cmp.Diff(want, got); diff != "" || order != nil {
		t.Errorf("%s, order %v", diff, order)
	}
}

func TestCurrent(t *testing.T) {
	spec := func(benchmarks, modules []string) *v1alpha1.NodeReportSpec {
		return &v1alpha1.NodeReportSpec{Benchmarks: benchmarks, UnnecessaryModules: modules}
	}
	b, m := []string{"cis"}, []string{"floppy", "pcspkr"}
	tests := map[string]struct {
		spec       *v1alpha1.NodeReportSpec
		generation int64
		observed   int64
		benchmarks []string
		modules    []string
		current    bool
		order      *v1alpha1.NodeReportSpec
	}{
		"nothing asked, never asked":          {generation: 1, current: true},
		"nothing asked, seen as it is":        {generation: 1, observed: 1, current: true},
		"nothing asked, of an order before":   {generation: 3, observed: 2},
		"nothing asked, and the order is so":  {spec: spec(nil, nil), generation: 3, observed: 3, current: true},
		"nothing asked, not followed yet":     {spec: spec(nil, nil), generation: 3, observed: 2},
		"nothing asked, by its flags still":   {spec: spec(nil, nil), generation: 3},
		"nothing asked, other order":          {spec: spec(b, nil), generation: 2, observed: 2, order: spec(nil, nil)},
		"asked, and followed":                 {spec: spec(b, m), generation: 2, observed: 2, benchmarks: b, modules: m, current: true},
		"asked, not followed yet":             {spec: spec(b, m), generation: 3, observed: 2, benchmarks: b, modules: m},
		"asked, of a later order than stored": {spec: spec(b, m), generation: 3, observed: 4, benchmarks: b, modules: m},
		"asked, never ordered":                {generation: 1, benchmarks: b, order: spec(b, nil)},
		"asked, never ordered, echoes it":     {generation: 1, observed: 1, benchmarks: b, order: spec(b, nil)},
		"asked for other modules":             {spec: spec(b, m[:1]), generation: 2, observed: 2, benchmarks: b, modules: m, order: spec(b, m)},
		"asked for other benchmarks":          {spec: spec([]string{"aks"}, m), generation: 2, observed: 2, benchmarks: b, modules: m, order: spec(b, m)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := &NodeReport{ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "report", Generation: tt.generation}, Spec: tt.spec}
			r.Status.ObservedGeneration, r.Status.RuleSet, r.Status.verdicts = tt.observed, "rules", &verdicts{}
			got, order := r.reading(tt.benchmarks, tt.modules)
			if got.Current != tt.current {
				t.Errorf("current is %t", got.Current)
			}
			var want *Order
			if tt.order != nil {
				want = &Order{Node: "a", UID: "report", Spec: *tt.order}
			}
			if diff := cmp.Diff(want, order); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
		})
	}
}

// An agent makes its report before it says anything: that is no report yet, though it
// may be asked for something.
func TestReportWithoutStatus(t *testing.T) {
	r := &NodeReport{ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "report", Generation: 1}}
	r.Status.verdicts = &verdicts{}
	if got, order := r.reading(nil, nil); got != nil || order != nil {
		t.Errorf("it reads %+v, and asks for %+v", got, order)
	}
	if got, order := r.reading([]string{"cis"}, nil); got != nil || order == nil {
		t.Errorf("it reads %+v, and asks for %+v", got, order)
	}
}

// A report counts for the node that owns it, and for no other of the same name.
func TestReportOfAnotherNode(t *testing.T) {
	w := newWatched(t)
	w.see(node("a"))
	for uid, counts := range map[string]bool{"uid-a": true, "uid-before": false, "": false} {
		w.SetReport(w.report(uid, "Fail"))
		if got := w.a().Report != nil; got != counts {
			t.Errorf("a report owned by %q counts: %t", uid, got)
		}
	}
	w.SetReport(w.report("uid-a", "Fail"))
	again := node("a")
	again.UID = "uid-next"
	w.see(again)
	if w.a().Report != nil || len(w.View().Orders) > 0 {
		t.Error("the report of the node before counts for the next of its name")
	}
}

func TestReportChanges(t *testing.T) {
	w := newWatched(t)
	w.see(node("a"))
	w.SetReport(w.report("uid-a", "Pass"))
	w.changed()
	for name, tt := range map[string]struct {
		change func(*NodeReport)
		want   bool
	}{
		"the same again": {func(*NodeReport) {}, false},
		"other findings": {func(r *NodeReport) { r.Labels = map[string]string{"a": "b"} }, false},
		"a verdict":      {func(r *NodeReport) { r.Status.Results[0].Status = "Fail" }, true},
		"a rule set":     {func(r *NodeReport) { r.Status.RuleSet = "r2" }, true},
		"an agent":       {func(r *NodeReport) { r.Status.AgentVersion = "v2" }, true},
		"an order":       {func(r *NodeReport) { r.Generation, r.Spec = 2, &v1alpha1.NodeReportSpec{Benchmarks: []string{"b"}} }, true},
		"an order taken": {func(r *NodeReport) { r.Status.ObservedGeneration = 2 }, true},
		"an owner":       {func(r *NodeReport) { r.OwnerReferences = nil }, true},
	} {
		w.SetReport(w.report("uid-a", "Pass"))
		w.changed()
		r := w.report("uid-a", "Pass")
		tt.change(r)
		w.SetReport(r)
		if w.changed() != tt.want {
			t.Errorf("%s is a change: %t", name, !tt.want)
		}
	}
	last := w.report("uid-a", "Pass")
	w.SetReport(last)
	w.changed()
	w.DeleteReport(last)
	if !w.changed() || w.a().Report != nil {
		t.Error("a report that is gone is no change")
	}
}

// Reports that say the same share what they say, and what no report says is forgotten.
func TestVerdictsAreShared(t *testing.T) {
	var d digests
	results := func(status string) []NodeResult { return []NodeResult{{"ssh-x11", status}, {"perm-crontab", "Pass"}} }
	one, two := d.share(results("Fail")), d.share([]NodeResult{{"perm-crontab", "Pass"}, {"ssh-x11", "Fail"}, {"made-up", "Fail"}})
	if one != two {
		t.Error("two that say the same are two")
	}
	if other := d.share(results("Pass")); other == one || other.of["ssh-x11"] != control.Pass || one.of["ssh-x11"] != control.Fail {
		t.Errorf("%v, %v", one.of, other.of)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		runtime.GC()
		d.mu.Lock()
		n := len(d.known)
		d.mu.Unlock()
		if n == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d are known", n)
		}
	}
	if d.share(results("Fail")) != one {
		t.Error("what is in use was forgotten")
	}
	runtime.KeepAlive(one)
}

func TestStringsAreBounded(t *testing.T) {
	var p stringPool
	for i := range 3 * maxPooled {
		if s := fmt.Sprint(i); p.one(s) != s {
			t.Fatal(s)
		}
	}
	if len(p.known) > maxPooled {
		t.Errorf("%d are kept", len(p.known))
	}
}
