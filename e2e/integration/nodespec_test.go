package integration

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/e2e/agent"
)

const (
	// ageControl is judged in one way by the source documents and in another by ubuntu.
	ageControl    = "pw-max-age"
	moduleControl = "mod-unnecessary"
	ubuntu        = "cis-ubuntu-22.04-3.0.0"
)

// agingFiles are those of a node whose passwords last for 200 days, and that has a
// module which only a site could mind.
var agingFiles = map[string]string{
	"etc/login.defs": "PASS_MAX_DAYS 200\n",
	"etc/passwd":     "root:x:0:0:root:/root:/bin/bash\n",
	"etc/shadow":     "root:*:19000:0:99999:7:::\n",
	"proc/modules":   "pcspkr 16384 0 - Live 0x0000000000000000\n",
}

// often makes an agent ask for its spec as often as it can.
var often = []string{"--spec-interval", "1s"}

func newAgingMachine(t *testing.T) *machine {
	t.Helper()
	m := newMachine(t)
	for name, content := range agingFiles {
		m.write(name, content)
	}
	return m
}

// specWriter is a client of the account that alone writes specs.
func specWriter(t *testing.T) dynamic.ResourceInterface {
	t.Helper()
	const name = "test-hardgate-controller"
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"nodereports"}, Verbs: []string{"get", "patch", "update"}},
	}}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: agent.Namespace, Name: "hardgate-controller"}},
	}
	rbac := lab.admin.RbacV1()
	if _, err := rbac.ClusterRoles().Create(t.Context(), role, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	if _, err := rbac.ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	cfg := rest.CopyConfig(lab.config)
	cfg.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + agent.Namespace + ":hardgate-controller",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + agent.Namespace, "system:authenticated"},
	}
	client, err := dynamic.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client.Resource(v1alpha1.GroupVersion.WithResource("nodereports"))
}

// ask writes a spec as the controller does, nil for none, and returns its generation.
func (m *machine) ask(spec *v1alpha1.NodeReportSpec) int64 {
	m.t.Helper()
	var fields map[string]any
	if spec != nil {
		fields = map[string]any{"benchmarks": spec.Benchmarks, "unnecessaryModules": spec.UnnecessaryModules}
	}
	data, err := json.Marshal(map[string]any{"spec": fields})
	m.must(err)
	for deadline := time.Now().Add(soon); ; time.Sleep(50 * time.Millisecond) {
		stored, err := specWriter(m.t).Patch(m.t.Context(), m.name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: "hardgate-controller"})
		if err == nil {
			return stored.GetGeneration()
		}
		// The rights of a moment ago may not be known yet.
		if !apierrors.IsForbidden(err) || time.Now().After(deadline) {
			m.t.Fatal(err)
		}
	}
}

// awaitGeneration waits until the report says that it is by a generation.
func (m *machine) awaitGeneration(generation int64) *v1alpha1.NodeReport {
	m.t.Helper()
	for deadline := time.Now().Add(soon); ; time.Sleep(5 * time.Millisecond) {
		r := m.report()
		if r != nil && len(r.Status.Results) > 0 && r.Status.ObservedGeneration == generation {
			return r
		}
		if time.Now().After(deadline) {
			m.t.Fatalf("the report is not by generation %d after %s: %+v", generation, soon, r)
		}
	}
}

// minds is whether a module is what the report finds.
func minds(r *v1alpha1.NodeReport, module string) bool {
	return slices.ContainsFunc(result(r, moduleControl).Findings, func(f v1alpha1.NodeFinding) bool {
		return strings.Contains(f.Path+f.Expected+f.Actual+f.Detail, module)
	})
}

// What the controller asks for in the spec is what the agent judges by, without being
// started anew.
func TestAgentGoesByTheSpec(t *testing.T) {
	m := newAgingMachine(t)
	m.start(agent.Options{Flags: often})
	flags := m.awaitGeneration(0)
	if s := result(flags, ageControl).Status; s != "Fail" || minds(flags, "pcspkr") {
		t.Fatalf("by the flags %s is %s, and of modules %+v", ageControl, s, result(flags, moduleControl))
	}

	begin := time.Now()
	r := m.awaitGeneration(m.ask(&v1alpha1.NodeReportSpec{Benchmarks: []string{ubuntu}}))
	t.Logf("%s after the spec was written, the report is by it; the agent asks every second", time.Since(begin))
	if s := result(r, ageControl).Status; s != "Pass" || r.Generation != r.Status.ObservedGeneration {
		t.Errorf("by %s, %s is %s; generation %d, observed %d", ubuntu, ageControl, s, r.Generation, r.Status.ObservedGeneration)
	}
	if !slices.Equal(r.Status.Benchmarks, []string{ubuntu}) || r.Status.RuleSet == flags.Status.RuleSet {
		t.Errorf("benchmarks %q, rule set %q, before %q", r.Status.Benchmarks, r.Status.RuleSet, flags.Status.RuleSet)
	}
	if len(r.Status.Results) != len(flags.Status.Results) {
		t.Errorf("%d controls, all are %d", len(r.Status.Results), len(flags.Status.Results))
	}
	for _, f := range r.ManagedFields {
		if f.Manager != "hardgate-controller" && strings.Contains(f.FieldsV1.GetRawString(), "f:spec") {
			t.Errorf("%s manages the spec too: %s", f.Manager, f.FieldsV1.GetRawString())
		}
	}

	before := r.Status.RuleSet
	r = m.awaitGeneration(m.ask(&v1alpha1.NodeReportSpec{Benchmarks: []string{ubuntu}, UnnecessaryModules: []string{"pcspkr"}}))
	if s := result(r, moduleControl).Status; s != "Fail" || !minds(r, "pcspkr") || r.Status.RuleSet == before {
		t.Errorf("rule set %q, before %q; %+v", r.Status.RuleSet, before, result(r, moduleControl))
	}

	if m.ask(nil); m.awaitGeneration(0).Status.RuleSet != flags.Status.RuleSet {
		t.Error("without a spec the flags do not hold again")
	}
}

// Of a spec that an agent does not know all of, it does not claim that it obeys.
func TestAgentDoesNotClaimAnUnknownSpec(t *testing.T) {
	m := newAgingMachine(t)
	a := m.start(agent.Options{Flags: often})
	m.awaitGeneration(0)
	obeyed := m.awaitGeneration(m.ask(&v1alpha1.NodeReportSpec{Benchmarks: []string{ubuntu}}))
	refused := m.ask(&v1alpha1.NodeReportSpec{Benchmarks: []string{"cis-ubuntu-99.04-1.0.0"}})
	const gauge = "hardgate_node_spec_refused"
	series, err := a.Metrics(t.Context())
	for deadline := time.Now().Add(soon); err == nil && series[gauge] != 1; series, err = a.Metrics(t.Context()) {
		if time.Now().After(deadline) {
			t.Fatal("the agent does not say that it refuses the spec")
		}
		time.Sleep(10 * time.Millisecond)
	}
	m.must(err)
	time.Sleep(3 * time.Second) // more questions
	r := m.report()
	if r.Generation != refused || r.Status.ObservedGeneration != obeyed.Generation || r.Status.RuleSet != obeyed.Status.RuleSet {
		t.Errorf("generation %d, observed %d, rule set %q; %d was obeyed, by %q",
			r.Generation, r.Status.ObservedGeneration, r.Status.RuleSet, obeyed.Generation, obeyed.Status.RuleSet)
	}
	if n := strings.Count(a.Log(), "is not obeyed"); n != 1 {
		t.Errorf("the log says %d times that the spec is not obeyed", n)
	}
	// What is not obeyed keeps nothing else from being reported.
	m.write("etc/ssh/sshd_config", sshd(300))
	if r := m.await("Fail", soon); r.Status.ObservedGeneration != obeyed.Generation {
		t.Errorf("after an edit, generation %d is claimed", r.Status.ObservedGeneration)
	}
	m.awaitGeneration(m.ask(&v1alpha1.NodeReportSpec{}))
}

// An agent that is started anew says nothing by its flags where there is a spec.
func TestAgentStartsWithTheSpec(t *testing.T) {
	m := newAgingMachine(t)
	a := m.start(agent.Options{Flags: often})
	m.awaitGeneration(0)
	before := m.awaitGeneration(m.ask(&v1alpha1.NodeReportSpec{Benchmarks: []string{ubuntu}}))
	m.must(a.Stop(t.Context()))
	again := m.start(agent.Options{Flags: []string{"--heartbeat", "1s"}})
	time.Sleep(3 * time.Second)
	m.wantWrites(again, 0)
	if after := m.report(); after.ResourceVersion != before.ResourceVersion {
		t.Errorf("the report was written: by generation %d, then by %d", before.Status.ObservedGeneration, after.Status.ObservedGeneration)
	}
}

// The generations of a report that is made anew begin at 1 again.
func TestAgentForgetsTheSpecOfADeletedReport(t *testing.T) {
	m := newAgingMachine(t)
	m.start(agent.Options{Flags: often})
	flags := m.awaitGeneration(0)
	obeyed := m.awaitGeneration(m.ask(&v1alpha1.NodeReportSpec{Benchmarks: []string{ubuntu}}))
	if err := m.reports().Delete(t.Context(), m.name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	r := m.awaitGeneration(0)
	if r.UID == obeyed.UID || r.Spec != nil || r.Status.RuleSet != flags.Status.RuleSet {
		t.Errorf("report %s, before %s; spec %+v, rule set %q", r.UID, obeyed.UID, r.Spec, r.Status.RuleSet)
	}
	r = m.awaitGeneration(m.ask(&v1alpha1.NodeReportSpec{UnnecessaryModules: []string{"pcspkr"}}))
	if r.Generation != obeyed.Generation || !minds(r, "pcspkr") || len(r.Status.Benchmarks) > 0 {
		t.Errorf("generation %d, benchmarks %q, %+v", r.Generation, r.Status.Benchmarks, result(r, moduleControl))
	}
}

// A status that names the version of its report gets into no other, by which the agent
// keeps its claim out of a report that was made anew a moment before.
func TestStatusIsOfOneReport(t *testing.T) {
	m := newMachine(t)
	a := m.start(agent.Options{})
	first := m.await("Pass", soon)
	m.must(a.Stop(t.Context()))
	token, err := a.Token()
	m.must(err)
	cfg := rest.AnonymousClientConfig(lab.config)
	cfg.BearerToken = token
	client, err := dynamic.NewForConfig(cfg)
	m.must(err)
	reports := client.Resource(v1alpha1.GroupVersion.WithResource("nodereports"))
	apply := func(version, content string, subresources ...string) error {
		text := `{"apiVersion":"` + v1alpha1.GroupVersion.String() + `","kind":"NodeReport","metadata":{"name":"` + m.name + `"` + version + `}` + content + `}`
		options := metav1.PatchOptions{FieldManager: "hardgate-nodecheck", Force: new(true)}
		_, err := reports.Patch(t.Context(), m.name, types.ApplyPatchType, []byte(text), options, subresources...)
		return err
	}
	of, status := `,"resourceVersion":"`+first.ResourceVersion+`"`, `,"status":{"observedGeneration":7}`
	m.must(m.reports().Delete(t.Context(), m.name, metav1.DeleteOptions{}))
	if err := apply(of, status, "status"); !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		t.Errorf("error %v, want that there is no such report", err)
	}
	m.must(apply("", ""))
	if err := apply(of, status, "status"); !apierrors.IsConflict(err) {
		t.Errorf("error %v, want a conflict", err)
	}
	if r := m.report(); r.Status.ObservedGeneration != 0 {
		t.Errorf("it was written: %+v", r.Status)
	}
	m.must(apply(`,"resourceVersion":"`+m.report().ResourceVersion+`"`, status, "status"))
}
