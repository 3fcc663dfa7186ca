package tainting

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/key"
)

// Audit writes nothing, Warn warns, Enforce taints, and back: each within moments of the
// policy's change, without a word of any agent.
func TestPolicyChanges(t *testing.T) {
	g := newGroup(t, 3)
	g.policy(`{mode: Audit}`)
	start(t)
	name := g.nodes[0]
	g.report(name, []string{crontab})
	g.policy(strings.ReplaceAll(prompt, "Enforce", "Warn"))
	warned := func(n *corev1.Node) bool {
		return len(n.Spec.Taints) == 1 && n.Spec.Taints[0].Effect == corev1.TaintEffectPreferNoSchedule && verdict(taint.Warned)(n)
	}
	n := g.await(name, "warning", warned)
	if compliant(n).Status != corev1.ConditionFalse {
		t.Errorf("%s", describe(n))
	}
	g.awaitEvent("Node", name, "HardeningWarned: Fails perm-crontab, which NodePolicies warn of.")
	g.policy(prompt)
	g.await(name, "taint alone", func(n *corev1.Node) bool { return tainted(n) && len(n.Spec.Taints) == 1 })
	g.policy(strings.Replace(prompt, "clearAfter", "effect: NoExecute, clearAfter", 1))
	g.await(name, "taint that evicts", func(n *corev1.Node) bool {
		return len(n.Spec.Taints) == 1 && n.Spec.Taints[0].Effect == corev1.TaintEffectNoExecute
	})
	g.policy(`{mode: Audit}`)
	g.await(name, "no taint", func(n *corev1.Node) bool { return untainted(n) && verdict(taint.NotEnforced)(n) })
}

func TestExemption(t *testing.T) {
	g := newGroup(t, 3)
	g.policy(prompt)
	start(t)
	name := g.nodes[0]
	g.report(name, []string{crontab})
	g.await(name, "taint", tainted)
	// It ends by itself, without anything happening.
	expires := time.Now().Add(4 * time.Second).UTC().Truncate(time.Second)
	g.apply("exemptions", "Exemption", g.name, map[string]any{
		"controls": []any{crontab}, "nodes": map[string]any{"names": []any{name}}, "reason": "a test", "owner": "tests", "expires": expires.Format(time.RFC3339),
	})
	g.await(name, "no taint", untainted)
	g.await(name, "taint", tainted)
	if early := time.Until(expires); early > 0 {
		t.Errorf("tainted %s before the exemption ends", early)
	}
	if late := time.Since(expires); late > 2*time.Second {
		t.Errorf("tainted %s after the exemption has ended", late)
	}
}

// A pause leaves everything as it is: on a node, on a policy, on the namespace.
func TestPauses(t *testing.T) {
	g := newGroup(t, 4)
	g.policy(prompt)
	start(t)
	g.await(g.nodes[0], "verdict", verdict(taint.Compliant))
	const pause, resume = `{"metadata":{"annotations":{"hardgate.dev/pause":"a test"}}}`, `{"metadata":{"annotations":{"hardgate.dev/pause":null}}}`
	namespace := func(patch string) {
		t.Helper()
		_, err := lab.admin.CoreV1().Namespaces().Patch(t.Context(), controller.Namespace, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		g.must(err)
	}
	t.Cleanup(func() {
		_, _ = lab.admin.CoreV1().Namespaces().Patch(g.ctx(), controller.Namespace, types.MergePatchType, []byte(resume), metav1.PatchOptions{})
	})
	policy := func(patch string) {
		t.Helper()
		_, err := resource("nodepolicies").Patch(t.Context(), g.name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		g.must(err)
	}
	for name, do := range map[string]func(string){
		"node":      func(patch string) { g.taint(g.nodes[0], patch) },
		"policy":    policy,
		"namespace": namespace,
	} {
		t.Run(name, func(t *testing.T) {
			g.t = t
			do(pause)
			if name == "namespace" {
				g.awaitCondition(v1alpha1.ConditionPaused, metav1.ConditionTrue)
			}
			time.Sleep(300 * time.Millisecond) // the controller has seen it before the report
			g.report(g.nodes[0], []string{crontab})
			time.Sleep(time.Second) // for what should not come
			if n := g.node(g.nodes[0]); !untainted(n) || !verdict(taint.Compliant)(n) {
				t.Errorf("paused, and yet %s", describe(n))
			}
			do(resume)
			g.await(g.nodes[0], "taint", tainted)
			do(pause)
			time.Sleep(300 * time.Millisecond)
			g.report(g.nodes[0], nil)
			time.Sleep(time.Second)
			if !tainted(g.node(g.nodes[0])) {
				t.Error("paused, and yet the taint is gone")
			}
			do(resume)
			g.await(g.nodes[0], "no taint", untainted)
			g.await(g.nodes[0], "verdict", verdict(taint.Compliant))
		})
	}
}

// While a policy is not understood, nothing is set or removed anywhere.
func TestPolicyThatIsNotUnderstood(t *testing.T) {
	g := newGroup(t, 3)
	g.policy(prompt)
	start(t)
	g.await(g.nodes[0], "verdict", verdict(taint.Compliant))
	g.apply("nodepolicies", "NodePolicy", g.name+"-misspelt", map[string]any{"mode": "Enforce", "gracePeriode": "1h"})
	cond := g.awaitCondition(v1alpha1.ConditionPoliciesUnderstood, metav1.ConditionFalse)
	if !strings.Contains(cond.Message, "NodePolicy "+g.name+"-misspelt: spec.gracePeriode: unknown field") {
		t.Errorf("it says %q", cond.Message)
	}
	g.report(g.nodes[0], []string{crontab})
	time.Sleep(time.Second) // for what should not come
	if n := g.node(g.nodes[0]); !untainted(n) {
		t.Errorf("not understood, and yet %s", describe(n))
	}
	g.must(resource("nodepolicies").Delete(t.Context(), g.name+"-misspelt", metav1.DeleteOptions{}))
	g.await(g.nodes[0], "taint", tainted)
	g.awaitCondition(v1alpha1.ConditionPoliciesUnderstood, metav1.ConditionTrue)
}

// What an agent is to judge by goes into its report, and its verdicts count once it has
// followed.
func TestOrders(t *testing.T) {
	g := newGroup(t, 3)
	g.policy(prompt)
	start(t)
	name := g.nodes[0]
	g.await(name, "verdict", verdict(taint.Compliant))
	g.policy(strings.Replace(prompt, "{controls:", "{benchmark: cis-kubernetes-1.8.0, controls:", 1))
	var spec map[string]any
	var generation int64
	g.until("order", func() bool {
		u, err := reports().Get(t.Context(), name, metav1.GetOptions{})
		g.must(err)
		spec, _ = u.Object["spec"].(map[string]any)
		generation = u.GetGeneration()
		return spec != nil
	}, func() string { return "" })
	t.Logf("ordered %v in generation %d", spec, generation)
	g.report(name, []string{crontab})
	n := g.await(name, "verdict", verdict(taint.Drifted))
	if !untainted(n) {
		t.Errorf("tainted by other rules than those of now: %s", describe(n))
	}
	for _, each := range g.nodes {
		fails := []string(nil)
		if each == name {
			fails = []string{crontab}
		}
		g.until("order of "+each, func() bool {
			u, err := reports().Get(t.Context(), each, metav1.GetOptions{})
			g.must(err)
			return u.Object["spec"] != nil
		}, func() string { return "" })
		g.report(each, fails, func(s *v1alpha1.NodeReportStatus) { s.ObservedGeneration = generation })
	}
	g.await(name, "taint", tainted)
}

// A node that registered with the taint of those that have not been checked loses it
// with the first report that passes, and keeps it with one that does not.
func TestUnverified(t *testing.T) {
	g := newGroup(t, 4)
	g.policy(strings.Replace(prompt, "{controls:", "{untrustedUntilChecked: true, controls:", 1))
	start(t)
	g.await(g.nodes[0], "verdict", verdict(taint.Compliant))
	name := g.name + "-new"
	g.nodes = append(g.nodes, name)
	// As the webhook does at registration; afterwards only the controller may.
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"group": g.name, "agentpool": g.name}},
		Spec:       corev1.NodeSpec{Taints: []corev1.Taint{{Key: key.Unverified, Effect: corev1.TaintEffectNoSchedule}}},
		Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
	}
	_, err := lab.admin.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{})
	g.must(err)
	g.await(name, "verdict", verdict(taint.Unverified))
	g.report(name, []string{crontab})
	n := g.await(name, "verdict", verdict(taint.Drifted))
	if untainted(n) {
		t.Error("freed by a report that fails")
	}
	g.report(name, nil)
	g.await(name, "end of the taint", untainted)
	g.awaitEvent("Node", name, "HardeningUntainted: No longer tainted hardgate.dev/unverified:NoSchedule")
}
