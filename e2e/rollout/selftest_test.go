package rollout

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/e2e/gate"
)

// TestUnreached: while the API server does not reach the webhook, no further namespace is
// made to fail closed and nothing is promoted, which the status says; what fails closed
// stays so, and is let go of. Once the webhook is back, all goes on.
func TestUnreached(t *testing.T) {
	due, enforced, leaving := namespace(t, "due"), namespace(t, "enforced"), namespace(t, "leaving")
	late := fmt.Sprintf("late-%d", time.Now().UnixNano()%1e6)
	run := start(t)
	in := func(names ...string) map[string]any {
		var values []any
		for _, name := range names {
			values = append(values, name)
		}
		return map[string]any{"matchExpressions": []any{map[string]any{"key": "kubernetes.io/metadata.name", "operator": "In", "values": values}}}
	}
	manual := object("hardgate.dev/v1alpha1", "WorkloadPolicy", "", "by-hand", map[string]any{
		"namespaceSelector": in(enforced, leaving, late), "controls": []any{map[string]any{"id": "privileged", "mode": "Enforce"}},
	})
	if _, err := lab.client.Apply(t.Context(), manual); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.client.Delete(context.WithoutCancel(t.Context()), manual); err != nil {
			t.Error(err)
		}
	})
	await(t, "what is enforced fails closed", func() bool { closed, _ := failing(t); return contains(closed, enforced, leaving) })
	await(t, "the webhook is reached", func() bool { return reached(t, run) == 1 })

	put(t, map[string]any{
		"namespaceSelector": in(due), "controls": []any{map[string]any{"id": "privileged", "mode": "Warn"}},
		"rollout": map[string]any{"cleanWindow": "5s"},
	})
	revive := stopGate(t)
	if err := cluster.EnsureNamespace(t.Context(), lab.admin, late); err != nil {
		t.Fatal(err)
	}
	await(t, "the status says why nothing is promoted", func() bool {
		r := policy(t).Status.Rollout
		return r != nil && slices.ContainsFunc(r.Cells, func(c v1alpha1.RolloutCell) bool {
			return c.Namespace == due && c.Mode == "Warn" && strings.Contains(c.Next, "the API server does not reach the webhook: ") &&
				strings.Contains(c.Next, "failed calling webhook") && strings.Contains(c.Next, "connection refused")
		})
	})
	await(t, "the metric says so", func() bool { return reached(t, run) == 0 })
	if n := strings.Count(run.Log(), "the API server does not reach the webhook: nothing is promoted"); n != 1 {
		t.Errorf("the log says so %d times", n)
	}
	if err := lab.admin.CoreV1().Namespaces().Delete(t.Context(), leaving, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	// By the round that lets go of one namespace, the others have had their turn, too.
	await(t, "letting go waits for nothing", func() bool { closed, _ := failing(t); return !slices.Contains(closed, leaving) })
	if closed, _ := failing(t); !contains(closed, enforced) || contains(closed, late) || contains(closed, due) || mode(t, due) != "Warn" {
		t.Errorf("closed are %q without the webhook, and %s is in mode %s", closed, due, mode(t, due))
	}
	if err := create(t, pod(late, true)); err != nil && !apierrors.IsForbidden(err) { // no account "default" yet
		t.Errorf("a namespace that is new is closed: %v", err)
	}
	if err := create(t, pod(enforced, false)); err == nil || !strings.Contains(err.Error(), "failed calling webhook") {
		t.Errorf("a namespace that was closed is open: %v", err)
	}

	revive()
	await(t, "what waited is promoted and fails closed", func() bool {
		closed, _ := failing(t)
		return mode(t, due) == "Enforce" && contains(closed, enforced, late, due)
	})
	await(t, "the metric says so", func() bool { return reached(t, run) == 1 })
}

// TestOlderRegistration: one that has no self-test is given it, and what is enforced fails
// closed once that is in force.
func TestOlderRegistration(t *testing.T) {
	ns := namespace(t, "upgraded")
	configurations := lab.admin.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	stored, err := configurations.Get(t.Context(), "hardgate", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	tested := func(w admissionregistrationv1.ValidatingWebhook) bool { return w.Name == "self-test.hardgate.dev" }
	stored.Webhooks = slices.DeleteFunc(stored.Webhooks, tested)
	if _, err := configurations.Update(t.Context(), stored, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	self := object("hardgate.dev/v1alpha1", "ClusterReport", "", "self-test", nil)
	delete(self.Object, "spec")
	await(t, "the API server asks nobody", func() bool {
		_, err := lab.client.Create(t.Context(), self, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err == nil
	})
	put(t, map[string]any{
		"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": ns}},
		"controls":          []any{map[string]any{"id": "privileged", "mode": "Enforce"}},
	})
	start(t)
	await(t, "what is enforced fails closed", func() bool { closed, _ := failing(t); return contains(closed, ns) })
	if stored, err = configurations.Get(t.Context(), "hardgate", metav1.GetOptions{}); err != nil || !slices.ContainsFunc(stored.Webhooks, tested) {
		t.Errorf("%v; the self-test is not registered", err)
	}
}

// TestSelfTestBlocksNothingElse: without the webhook, no report of hardgate's own is
// refused, but for the one that is never made.
func TestSelfTestBlocksNothingElse(t *testing.T) {
	kept := object("hardgate.dev/v1alpha1", "ClusterReport", "", "self-test", nil)
	delete(kept.Object, "spec")
	named := func(kind, name string) *unstructured.Unstructured {
		o := kept.DeepCopy()
		o.SetKind(kind)
		o.SetName(name)
		if name == "" {
			o.SetGenerateName("self-test")
		}
		return o
	}
	await(t, "the webhook denies the self-test itself", func() bool { return gate.Denied(create(t, kept)) })
	stopGate(t)
	if err := create(t, kept); err == nil || !strings.Contains(err.Error(), `failed calling webhook "self-test.hardgate.dev"`) {
		t.Errorf("the self-test without a webhook: %v", err)
	}
	dry := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldManager: apply.FieldManager}
	for _, o := range []*unstructured.Unstructured{
		named("ClusterReport", "cluster"), named("ClusterReport", "self-test-2"), named("ClusterReport", ""),
		named("NodeReport", "self-test"), named("NamespaceReport", "self-test"),
		object("v1", "ConfigMap", "default", "self-test", nil),
	} {
		if _, err := lab.client.Create(t.Context(), o, dry); err != nil && !apierrors.IsAlreadyExists(err) {
			t.Errorf("%s %q: %v", o.GetKind(), o.GetName(), err)
		}
	}
	// The real one, and not on trial.
	report := named("ClusterReport", "cluster")
	if err := lab.client.Delete(t.Context(), report); err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	if err := create(t, report); err != nil {
		t.Error(err)
	}
}

func contains(all []string, some ...string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// stopGate stops the webhook until revive is called, or the test ends.
func stopGate(t *testing.T) (revive func()) {
	t.Helper()
	if err := lab.gate.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	revive = sync.OnceFunc(func() {
		g, err := gate.Start(context.WithoutCancel(t.Context()), lab.cluster, lab.repo)
		if err != nil {
			t.Error(err)
			return
		}
		lab.gate = g
	})
	t.Cleanup(revive)
	return revive
}

// reached is what the controller's metric says; -1 where it says nothing.
func reached(t *testing.T, c *controller.Controller) float64 {
	t.Helper()
	metrics, err := c.Metrics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := metrics["hardgate_webhook_reached"]; ok {
		return v
	}
	return -1
}
