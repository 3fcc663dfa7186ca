package integration

import (
	"context"
	"fmt"
	"maps"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/hardgate-dev/hardgate/e2e/agent"
	"github.com/hardgate-dev/hardgate/e2e/controller"
)

// report makes the station's own report and lease, as the agent does, which it may
// whatever the policies say of others.
func (s station) report(t *testing.T) (report, lease *unstructured.Unstructured) {
	t.Helper()
	ctx := t.Context()
	if _, err := s.reports().Apply(ctx, s.name, s.ownReport(), applied("hardgate-nodecheck")); err != nil {
		t.Fatalf("an agent makes its own report: %v", err)
	}
	status := with(newReport(s.name), "honest", "status", "os")
	if _, err := s.reports().ApplyStatus(ctx, s.name, status, applied("hardgate-nodecheck")); err != nil {
		t.Fatalf("an agent writes the status of its own report: %v", err)
	}
	for range 2 { // it is made, then renewed
		if _, err := s.leases(agent.Namespace).Apply(ctx, s.name, s.ownLease(), applied("hardgate-nodecheck")); err != nil {
			t.Fatalf("an agent renews its own lease: %v", err)
		}
	}
	report, err := administrator(t).reports().Get(ctx, s.name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if lease, err = administrator(t).leases(agent.Namespace).Get(ctx, s.name, metav1.GetOptions{}); err != nil {
		t.Fatal(err)
	}
	return report, lease
}

// wantUntouched is an error if another's report or lease is not as it was.
func wantUntouched(t *testing.T, report, lease *unstructured.Unstructured) {
	t.Helper()
	admin := administrator(t)
	for r, before := range map[dynamic.ResourceInterface]*unstructured.Unstructured{admin.reports(): report, admin.leases(agent.Namespace): lease} {
		after, err := r.Get(t.Context(), before.GetName(), metav1.GetOptions{})
		if err != nil || after.GetResourceVersion() != before.GetResourceVersion() || after.GetUID() != before.GetUID() {
			t.Errorf("%s %s was changed: %v", before.GetKind(), before.GetName(), err)
		}
	}
}

// By the rights that are installed.
func TestAuthorityOfAgentIsItsNode(t *testing.T) {
	authorities(t)
	a, b := newStation(t), newStation(t)
	awaitInForce(t, reportsPolicy, func(ctx context.Context) error {
		_, err := a.reports().Apply(ctx, b.name, newReport(b.name), applied("forger"))
		return err
	})
	awaitInForce(t, leasesPolicy, func(ctx context.Context) error {
		_, err := a.leases(agent.Namespace).Apply(ctx, b.name, newLease(agent.Namespace, b.name, a.name), applied("forger"))
		return err
	})
	a.report(t)
	report, lease := b.report(t)
	node, err := a.nodes().Get(t.Context(), a.name, metav1.GetOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("reading its own node: %v, %v", node, err)
	}
	admin := administrator(t)
	node, err = admin.nodes().Get(t.Context(), a.name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	other, err := admin.nodes().Get(t.Context(), b.name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	status := func(name string) map[string]attempt {
		return map[string]attempt{"patch of the status": func(ctx context.Context) error {
			_, err := a.nodes().Patch(ctx, name, types.StrategicMergePatchType, []byte(`{"status":{"conditions":null}}`), metav1.PatchOptions{}, "status")
			return err
		}}
	}
	own := attempts(a.reports(), a.ownReport())
	for what, tries := range map[string]map[string]attempt{
		"another's report":             attempts(a.reports(), report),
		"the status of another's":      statusAttempts(a.reports(), report),
		"another's lease":              attempts(a.leases(agent.Namespace), lease),
		"its own node":                 attempts(a.nodes(), node),
		"the status of its own node":   status(a.name),
		"another node":                 attempts(a.nodes(), other),
		"the status of another node":   status(b.name),
		"its own verdict's removal":    {"delete": own["delete"], "delete many": own["delete many"]},
		"the lease of the leader":      attempts(a.leases(controller.LeaderNamespace), newLease(controller.LeaderNamespace, controller.Leader, a.name)),
		"the lease of another's node":  attempts(a.leases(corev1.NamespaceNodeLease), newLease(corev1.NamespaceNodeLease, b.name, a.name)),
		"the lease of a leader, there": {"create": attempts(a.leases(agent.Namespace), newLease(agent.Namespace, controller.Leader, controller.Leader))["create"]},
	} {
		for way, try := range tries {
			t.Run(what+", "+way, func(t *testing.T) {
				if err := try(t.Context()); !apierrors.IsForbidden(err) {
					t.Errorf("error %v, want forbidden", err)
				}
			})
		}
	}
	wantUntouched(t, report, lease)
}

// widen lets the agents' account do everything to reports and leases, as a mistake in
// RBAC may, so that what is refused is refused by the policies. It takes back what it
// gave before the next test.
func widen(t *testing.T, witness actor) {
	t.Helper()
	ctx := t.Context()
	name := fmt.Sprintf("authority-%d", serial.Add(1))
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{"hardgate.dev"}, Resources: []string{"nodereports", "nodereports/status"}, Verbs: []string{"*"}},
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"*"}},
	}}
	if _, err := lab.admin.RbacV1().ClusterRoles().Create(ctx, role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: agent.Namespace, Name: agent.Account}},
	}
	if _, err := lab.admin.RbacV1().ClusterRoleBindings().Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	list := func(ctx context.Context) error {
		_, err := witness.reports().List(ctx, metav1.ListOptions{Limit: 1})
		return err
	}
	await(t, "the rights are not in force", func() error { return list(ctx) })
	t.Cleanup(func() {
		if err := lab.admin.RbacV1().ClusterRoleBindings().Delete(ctxOf(t), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		await(t, "the rights are still in force", func() error {
			if err := list(ctxOf(t)); !apierrors.IsForbidden(err) {
				return fmt.Errorf("listing reports gives: %w", err)
			}
			return nil
		})
	})
}

// What RBAC lets through by mistake, the policies do not.
func TestAuthorityOfAgentWithTooManyRights(t *testing.T) {
	authorities(t)
	a, b := newStation(t), newStation(t)
	widen(t, a.actor)
	awaitInForce(t, reportsPolicy, attempts(a.reports(), newReport(b.name))["create"])
	awaitInForce(t, leasesPolicy, attempts(a.leases(agent.Namespace), newLease(agent.Namespace, b.name, b.name))["create"])
	awaitInForce(t, specPolicy, attempts(a.reports(), with(newReport(a.name), []any{"trial"}, "spec", "benchmarks"))["create"])
	own, ownLease := a.report(t)
	report, lease := b.report(t)
	tests := map[string]struct {
		policy string
		tries  map[string]attempt
	}{
		"another's report":                {reportsPolicy, attempts(a.reports(), report)},
		"the status of another's":         {reportsPolicy, statusAttempts(a.reports(), report)},
		"a report that is not there":      {reportsPolicy, only(attempts(a.reports(), newReport("authority-none")), "create", "apply")},
		"a name that the server makes up": {reportsPolicy, only(attempts(a.reports(), generated(newReport(""), a.name)), "create")},
		"the spec of its own": {specPolicy, map[string]attempt{
			"apply": attempts(a.reports(), with(newReport(a.name), []any{"forged"}, "spec", "benchmarks"))["apply"],
			"merge patch": func(ctx context.Context) error {
				_, err := a.reports().Patch(ctx, a.name, types.MergePatchType, []byte(`{"spec":{"unnecessaryModules":["dccp"]}}`), metav1.PatchOptions{})
				return err
			},
			"update": attempts(a.reports(), with(own, []any{"forged"}, "spec", "benchmarks"))["update"],
			"empty":  attempts(a.reports(), with(own, map[string]any{}, "spec"))["update"],
		}},
		"an owner of its own report": {reportsPolicy, merged(
			owned(a, own, "v1", "Node", a.name, types.UID("00000000-0000-0000-0000-000000000000")),
			owned(a, own, "example.com/v1", "Node", a.name, a.node.UID),
			owned(a, own, "v1", "Node", b.name, b.node.UID),
			owned(a, own, "v1", "Node", b.name, a.node.UID),
			owned(a, own, "v1", "Namespace", a.name, a.node.UID),
		)},
		"another's lease":                              {leasesPolicy, attempts(a.leases(agent.Namespace), lease)},
		"a lease of no agent":                          {leasesPolicy, only(attempts(a.leases(agent.Namespace), newLease(agent.Namespace, controller.Leader, a.name)), "create", "apply", "update")},
		"a lease with a name that the server makes up": {leasesPolicy, only(attempts(a.leases(agent.Namespace), generated(newLease(agent.Namespace, "", a.name), a.name)), "create")},
		"the lease of the leader":                      {leasesPolicy, only(attempts(a.leases(controller.LeaderNamespace), newLease(controller.LeaderNamespace, controller.Leader, a.name)), "create", "apply", "update")},
		"the lease of its kubelet":                     {leasesPolicy, only(attempts(a.leases(corev1.NamespaceNodeLease), newLease(corev1.NamespaceNodeLease, a.name, a.name)), "create", "apply", "update")},
		"its own lease in another's name":              {leasesPolicy, only(attempts(a.leases(agent.Namespace), with(ownLease, b.name, "spec", "holderIdentity")), "create", "apply", "update")},
		"its own lease in nobody's name": {leasesPolicy, map[string]attempt{"merge patch": func(ctx context.Context) error {
			_, err := a.leases(agent.Namespace).Patch(ctx, a.name, types.MergePatchType, []byte(`{"spec":{"holderIdentity":null}}`), metav1.PatchOptions{})
			return err
		}}},
	}
	for what, test := range tests {
		for way, try := range test.tries {
			t.Run(what+", "+way, func(t *testing.T) { wantRefused(t, try(t.Context()), test.policy) })
		}
	}
	wantUntouched(t, report, lease)
	// Its own it may write in every way that RBAC lets it.
	for _, try := range []attempt{statusAttempts(a.reports(), own)["merge patch of the status"], attempts(a.reports(), own)["merge patch"], attempts(a.reports(), own)["delete"]} {
		if err := try(t.Context()); err != nil {
			t.Errorf("its own report: %v", err)
		}
	}
	for _, way := range []string{"merge patch", "apply", "delete many"} {
		if err := attempts(a.leases(agent.Namespace), ownLease)[way](t.Context()); err != nil {
			t.Errorf("its own lease, %s: %v", way, err)
		}
	}
	a.report(t)
}

// A token of the same account that names no node writes nothing.
func TestAuthorityOfTokensWithoutANode(t *testing.T) {
	authorities(t)
	b := newStation(t)
	report, lease := b.report(t)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("authority-%d", serial.Add(1))}}
	secret, err := lab.admin.CoreV1().Secrets(agent.Namespace).Create(t.Context(), secret, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]*authenticationv1.BoundObjectReference{
		"bound to nothing":  nil,
		"bound to a Secret": {APIVersion: "v1", Kind: "Secret", Name: secret.Name, UID: secret.UID},
	} {
		t.Run(name, func(t *testing.T) {
			token, err := agent.TokenBoundTo(t.Context(), lab.admin, to)
			if err != nil {
				t.Fatal(err)
			}
			c := bearer(t, token)
			if _, err := c.reports().Get(t.Context(), b.name, metav1.GetOptions{}); err != nil {
				t.Fatalf("the token is none of the agent's account: %v", err)
			}
			widen(t, c)
			awaitInForce(t, reportsPolicy, attempts(c.reports(), newReport("authority-none"))["create"])
			awaitInForce(t, leasesPolicy, attempts(c.leases(agent.Namespace), newLease(agent.Namespace, "authority-none", ""))["create"])
			tries := attempts(c.reports(), report)
			maps.Copy(tries, statusAttempts(c.reports(), report))
			for way, try := range tries {
				t.Run("a report, "+way, func(t *testing.T) { wantRefused(t, try(t.Context()), reportsPolicy) })
			}
			for way, try := range attempts(c.leases(agent.Namespace), lease) {
				t.Run("a lease, "+way, func(t *testing.T) { wantRefused(t, try(t.Context()), leasesPolicy) })
			}
			wantUntouched(t, report, lease)
		})
	}
}

// A version that is served one day is guarded from its first moment.
func TestAuthorityOfAgentInAnotherVersion(t *testing.T) {
	authorities(t)
	a, b := newStation(t), newStation(t)
	awaitInForce(t, reportsPolicy, func(ctx context.Context) error {
		_, err := a.reports().Apply(ctx, b.name, newReport(b.name), applied("forger"))
		return err
	})
	report, lease := b.report(t)
	const version = "v1authority"
	crds := administrator(t).dynamic.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	change := func(ctx context.Context, patch string) {
		t.Helper()
		if _, err := crds.Patch(ctx, "nodereports.hardgate.dev", types.JSONPatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	change(t.Context(), `[{"op":"copy","from":"/spec/versions/0","path":"/spec/versions/-"},
		{"op":"replace","path":"/spec/versions/1/name","value":"`+version+`"},{"op":"replace","path":"/spec/versions/1/storage","value":false}]`)
	t.Cleanup(func() { change(ctxOf(t), `[{"op":"remove","path":"/spec/versions/1"}]`) })
	widen(t, a.actor)
	in := a.dynamic.Resource(schema.GroupVersionResource{Group: "hardgate.dev", Version: version, Resource: "nodereports"})
	translated := func(o *unstructured.Unstructured) *unstructured.Unstructured {
		o = o.DeepCopy()
		o.SetAPIVersion("hardgate.dev/" + version)
		return o
	}
	await(t, "the version is not served", func() error {
		_, err := in.Apply(t.Context(), a.name, translated(a.ownReport()), applied("hardgate-nodecheck"))
		return err
	})
	for way, try := range attempts(in, translated(report)) {
		t.Run(way, func(t *testing.T) { wantRefused(t, try(t.Context()), reportsPolicy) })
	}
	status := only(statusAttempts(in, translated(report)), "update of the status", "merge patch of the status")
	for way, try := range status {
		t.Run(way, func(t *testing.T) { wantRefused(t, try(t.Context()), reportsPolicy) })
	}
	wantUntouched(t, report, lease)
}
