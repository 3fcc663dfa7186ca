package rollout

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/e2e/gate"
)

// often makes the controller look more often than one at work.
var often = []string{"--audit-interval", "1s", "--audit-tick", "500ms"}

// TestRollout follows one policy from Audit to Enforce: what is clean is promoted, what is
// not is blocked and says by whom; a hand can hold it, and an exemption frees it.
func TestRollout(t *testing.T) {
	clean, dirty := namespace(t, "clean"), namespace(t, "dirty")
	mustCreate(t, deployment(clean, "api", false))
	mustCreate(t, deployment(dirty, "collector", true))
	run := start(t)
	spec := map[string]any{
		"namespaceSelector": map[string]any{"matchExpressions": []any{map[string]any{
			"key": "kubernetes.io/metadata.name", "operator": "In", "values": []any{clean, dirty},
		}}},
		"controls": []any{map[string]any{"id": "privileged", "mode": "Audit"}},
		"rollout":  map[string]any{"cleanWindow": "2s"},
	}
	put(t, spec)

	await(t, "the clean namespace is enforced", func() bool { return mode(t, clean) == "Enforce" })
	if m := mode(t, dirty); m != "Audit" {
		t.Errorf("the dirty namespace is in mode %q", m)
	}
	await(t, "the policy adds up its cells", func() bool {
		s := policy(t).Status.Rollout
		return s != nil && s.BlockedBy == dirty+"/privileged: Deployment/collector" && s.Violations == 1 && s.Enforce == 1 && s.Audit == 1
	})
	await(t, "a privileged pod is refused where it is enforced", func() bool { return gate.Denied(create(t, pod(clean, true))) })
	await(t, "the API server fails closed there and nowhere else", func() bool {
		closed, open := failing(t)
		return slices.Equal(closed, []string{clean}) && slices.Contains(open, clean)
	})

	await(t, "the policy says that it does", func() bool {
		return meta.IsStatusConditionTrue(policy(t).Status.Conditions, v1alpha1.ConditionFailsClosed)
	})
	if beat := report(t, v1alpha1.ClusterScopedReportName).Status.Heartbeat; beat == nil || time.Since(beat.Last.Time) > v1alpha1.HeartbeatGap {
		t.Errorf("what is clean is promoted by the heartbeat %+v", beat)
	}

	// What the webhook lets through is counted, but for a trial that stores nothing.
	if err := create(t, pod(dirty, true)); err != nil {
		t.Fatal(err)
	}
	await(t, "the webhook counts what it would have refused", func() bool {
		for _, a := range report(t, dirty).Status.Admission {
			if a.Control == "privileged" && a.Count == 2 { // the Deployment of before, and the pod
				return true
			}
		}
		return false
	})

	// A switch by hand is allowed, and says what it would refuse.
	spec["controls"] = []any{map[string]any{"id": "privileged", "mode": "Enforce"}}
	if warned := strings.Join(put(t, spec), "\n"); !strings.Contains(warned, "would be refused at their next start") || !strings.Contains(warned, dirty+": Deployment/collector (privileged)") {
		t.Errorf("the switch by hand is answered with %q", warned)
	}
	await(t, "the hand holds", func() bool { return mode(t, dirty) == "Enforce" })
	spec["controls"] = []any{map[string]any{"id": "privileged", "mode": "Audit"}}
	put(t, spec)
	await(t, "what a hand has switched, a hand switches back", func() bool {
		return mode(t, dirty) == "Audit" && mode(t, clean) == "Enforce" && create(t, pod(dirty, true)) == nil
	})

	// Held by hand at once, and let go.
	spec["rollout"] = map[string]any{"cleanWindow": "2s", "pins": []any{map[string]any{"namespaces": []any{clean, dirty}, "controls": []any{"privileged"}, "mode": "Warn", "atMost": true}}}
	put(t, spec)
	await(t, "a demotion holds", func() bool { return create(t, pod(clean, true)) == nil })
	await(t, "the report says so", func() bool { return mode(t, clean) == "Warn" })
	if m := mode(t, dirty); m != "Audit" {
		t.Errorf("a demotion has raised what was milder to %s", m)
	}

	// The controller that comes after goes on where this one stopped.
	if err := run.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	start(t)
	spec["rollout"] = map[string]any{"cleanWindow": "2s"}
	put(t, spec)
	await(t, "what stands there now blocks", func() bool {
		for _, c := range report(t, clean).Status.Controls {
			if c.ID == "privileged" && c.Violations == 1 {
				return mode(t, clean) == "Warn"
			}
		}
		return false
	})

	// An exemption is no violation, here and at admission.
	mustCreate(t, exemption(dirty, time.Hour))
	await(t, "what is exempt does not block", func() bool { return mode(t, dirty) == "Enforce" })
	await(t, "the API server fails closed there, too", func() bool { closed, _ := failing(t); return slices.Contains(closed, dirty) })
	if err := create(t, pod(dirty, true)); err != nil {
		t.Errorf("what is exempt is refused: %v", err)
	}
	await(t, "its end is told of", func() bool { return told(t, "ExemptionExpiring", "exempt-"+dirty) })
	ends := 3 * time.Second
	if _, err := lab.client.Apply(t.Context(), exemption(dirty, ends)); err != nil {
		t.Fatal(err)
	}
	await(t, "the exemption has ended", func() bool { return gate.Denied(create(t, pod(dirty, true))) })
	await(t, "its end is told", func() bool {
		return told(t, "ExemptionExpired", "exempt-"+dirty) && told(t, "RolloutPromoted", "teams")
	})
	await(t, "the audit says so", func() bool {
		for _, c := range report(t, dirty).Status.Controls {
			if c.ID == "privileged" {
				return c.Violations > 0 && c.Exempt == 0
			}
		}
		return false
	})
	if m := mode(t, dirty); m != "Enforce" {
		t.Errorf("what ends demotes: %s", m)
	}
}

// TestSlippedIn: what came while the webhook was away is found.
func TestSlippedIn(t *testing.T) {
	ns := namespace(t, "open")
	start(t)
	await(t, "the namespace is audited", func() bool { return report(t, ns).Status.Hash != "" })
	if err := lab.gate.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustCreate(t, pod(ns, true))
	var err error
	if lab.gate, err = gate.Start(context.WithoutCancel(t.Context()), lab.cluster, lab.repo); err != nil {
		t.Fatal(err)
	}
	await(t, "the audit finds what slipped in", func() bool {
		for _, f := range report(t, ns).Status.Findings {
			if f.Control == "privileged" && f.Path == "spec.containers[0].securityContext.privileged" && f.Detail == "privileged is true" {
				return true
			}
		}
		return false
	})
}

func start(t *testing.T) *controller.Controller {
	t.Helper()
	c, err := controller.Start(t.Context(), lab.cluster, lab.repo, often...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(c.Log())
		}
	})
	return c
}

func namespace(t *testing.T, prefix string) string {
	t.Helper()
	name := fmt.Sprintf("%s-%d", prefix, time.Now().UnixNano()%1e6)
	if err := cluster.EnsureNamespace(t.Context(), lab.admin, name); err != nil {
		t.Fatal(err)
	}
	return name
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waiting until %s", what)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func containers(privileged bool) map[string]any {
	return map[string]any{"containers": []any{map[string]any{
		"name": "a", "image": "registry.example.com/a:1", "securityContext": map[string]any{"privileged": privileged},
	}}}
}

func object(apiVersion, kind, ns, name string, spec map[string]any) *unstructured.Unstructured {
	meta := map[string]any{}
	if ns != "" {
		meta["namespace"] = ns
	}
	if name != "" {
		meta["name"] = name
	} else {
		meta["generateName"] = strings.ToLower(kind) + "-"
	}
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": meta, "spec": spec}}
}

func deployment(ns, name string, privileged bool) *unstructured.Unstructured {
	labels := map[string]any{"app": name}
	return object("apps/v1", "Deployment", ns, name, map[string]any{
		"replicas": int64(0), "selector": map[string]any{"matchLabels": labels},
		"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": containers(privileged)},
	})
}

func pod(ns string, privileged bool) *unstructured.Unstructured {
	return object("v1", "Pod", ns, "", containers(privileged))
}

func exemption(ns string, ends time.Duration) *unstructured.Unstructured {
	return object("hardgate.dev/v1alpha1", "Exemption", "", "exempt-"+ns, map[string]any{
		"controls": []any{"privileged"}, "objects": map[string]any{"namespaces": []any{ns}},
		"reason": "a test", "owner": "tests", "expires": time.Now().Add(ends).UTC().Format(time.RFC3339),
	})
}

func create(t *testing.T, o *unstructured.Unstructured) error {
	t.Helper()
	_, err := lab.client.Create(t.Context(), o, metav1.CreateOptions{FieldManager: apply.FieldManager})
	return err
}

func mustCreate(t *testing.T, o *unstructured.Unstructured) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		err := create(t, o)
		if err == nil {
			return
		}
		// The account "default" of a new namespace takes its time without a controller manager.
		if !apierrors.IsForbidden(err) || time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// put applies the policy and returns the API server's warnings.
func put(t *testing.T, spec map[string]any) []string {
	t.Helper()
	warnings, err := lab.client.Apply(t.Context(), object("hardgate.dev/v1alpha1", "WorkloadPolicy", "", "teams", spec))
	if err != nil {
		t.Fatal(err)
	}
	return warnings
}

func read(t *testing.T, o *unstructured.Unstructured, into any) {
	t.Helper()
	stored, err := lab.client.Get(t.Context(), o)
	if apierrors.IsNotFound(err) {
		return
	}
	if err == nil {
		err = runtime.DefaultUnstructuredConverter.FromUnstructured(stored.Object, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func policy(t *testing.T) (p v1alpha1.WorkloadPolicy) {
	t.Helper()
	read(t, object("hardgate.dev/v1alpha1", "WorkloadPolicy", "", "teams", nil), &p)
	return p
}

func report(t *testing.T, ns string) (r v1alpha1.NamespaceReport) {
	t.Helper()
	read(t, object("hardgate.dev/v1alpha1", "NamespaceReport", "", ns, nil), &r)
	return r
}

// mode is what the rollout has come to.
func mode(t *testing.T, ns string) string {
	t.Helper()
	for _, c := range report(t, ns).Status.Controls {
		if c.ID == "privileged" && len(c.Modes) == 1 {
			return string(c.Modes[0].Mode)
		}
	}
	return ""
}

// told is whether there is such an Event about an object without a namespace.
func told(t *testing.T, reason, name string) bool {
	t.Helper()
	list, err := lab.admin.CoreV1().Events(metav1.NamespaceDefault).List(t.Context(), metav1.ListOptions{
		FieldSelector: "reason=" + reason + ",involvedObject.name=" + name,
	})
	if err != nil {
		t.Fatal(err)
	}
	return len(list.Items) > 0
}

// failing are the namespaces in which the API server fails closed, and those that the
// webhook that fails open leaves out.
func failing(t *testing.T) (closed, leftOut []string) {
	t.Helper()
	c, err := lab.admin.AdmissionregistrationV1().ValidatingWebhookConfigurations().Get(t.Context(), "hardgate", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range c.Webhooks {
		switch w.Name {
		case "workloads-enforced.hardgate.dev":
			closed = w.NamespaceSelector.MatchExpressions[0].Values
		case "workloads.hardgate.dev":
			leftOut = w.NamespaceSelector.MatchExpressions[0].Values
		}
	}
	return closed, leftOut
}
