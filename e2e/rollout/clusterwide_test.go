package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/audit/clusterwide"
)

// system are the namespaces that need no policy: the API server's and hardgate's.
var system = []string{"kube-system", "kube-public", "kube-node-lease", "hardgate-system", "hardgate-leader"}

const enforceLabel = "pod-security.kubernetes.io/enforce"

// TestPolicyControlRow: row 5.2.1 fails while one namespace has no policy control, whatever
// its labels promise, and passes by a label as by what hardgate enforces and is asked about.
func TestPolicyControlRow(t *testing.T) {
	shop := namespace(t, "shop")
	start(t)
	awaitRow(t, "policy-control-active", "Fail", "without an active policy control: ")
	for _, ns := range others(t, shop) {
		label(t, ns, enforceLabel, "baseline")
	}
	bare := "without an active policy control: " + shop
	awaitRow(t, "policy-control-active", "Fail", "1 of ", bare)
	label(t, shop, "pod-security.kubernetes.io/warn", "restricted")
	awaitRow(t, "policy-control-active", "Fail", bare, "Pod Security warns or audits only: "+shop)
	label(t, shop, enforceLabel, "privileged")
	awaitRow(t, "policy-control-active", "Fail", bare, "allows everything at the level privileged: "+shop)
	label(t, shop, enforceLabel, "restricted")
	awaitRow(t, "policy-control-active", "Pass", "covered by Pod Security")

	// A level that does not exist is refused, but by the way of the status.
	if err := relabel(t, shop, enforceLabel, "Baseline"); !apierrors.IsInvalid(err) && !apierrors.IsForbidden(err) {
		t.Errorf("a misspelt level: %v", err)
	}
	if err := relabel(t, shop, enforceLabel, "Baseline", "status"); err != nil {
		t.Fatal(err)
	}
	awaitRow(t, "policy-control-active", "Manual", "a level that does not exist", shop+`="Baseline"`)
	if err := create(t, pod(shop, false)); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `violates PodSecurity "restricted:latest"`) {
		t.Errorf("a pod where the level is misspelt: %v", err)
	}
	label(t, shop, enforceLabel, "")
	awaitRow(t, "policy-control-active", "Fail", bare)

	// hardgate counts with all of its controls, and once the API server asks it.
	var controls []any
	for _, id := range clusterwide.Takeover() {
		controls = append(controls, map[string]any{"id": string(id), "mode": "Enforce"})
	}
	p := object("hardgate.dev/v1alpha1", "WorkloadPolicy", "", "shop", map[string]any{
		"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": shop}}, "controls": controls[1:],
	})
	applied(t, p)
	awaitRow(t, "policy-control-active", "Fail", bare)
	p.Object["spec"].(map[string]any)["controls"] = controls
	applied(t, p)
	awaitRow(t, "policy-control-active", "Pass", "covered by Pod Security", "1 namespace covered by hardgate: "+shop)
	if err := lab.client.Delete(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	awaitRow(t, "policy-control-active", "Fail", bare)

	e := object("hardgate.dev/v1alpha1", "Exemption", "", "exempt-"+shop, map[string]any{
		"controls": []any{"policy-control-active"}, "objects": map[string]any{"namespaces": []any{shop}},
		"reason": "a test", "owner": "tests", "expires": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
	})
	applied(t, e)
	awaitRow(t, "policy-control-active", "Exempt", "exempt by exempt-"+shop+": "+shop)
}

// TestNetworkPolicyRow: row 5.3.2 fails while one namespace has no network policy; those of
// a plugin count once there is such a kind, and what may not be read is not known.
func TestNetworkPolicyRow(t *testing.T) {
	shop := namespace(t, "shop")
	start(t)
	awaitRow(t, "namespace-network-policy", "Fail", "without a network policy: ")
	for _, ns := range others(t, shop) {
		networkPolicy(t, ns)
	}
	bare := "without a network policy: " + shop
	awaitRow(t, "namespace-network-policy", "Fail", "1 of ", bare)

	crd(t, "ciliumnetworkpolicies", "CiliumNetworkPolicy", "Namespaced")
	crd(t, "ciliumclusterwidenetworkpolicies", "CiliumClusterwideNetworkPolicy", "Cluster")
	one := object("cilium.io/v2", "CiliumNetworkPolicy", shop, "deny", map[string]any{
		"endpointSelector": map[string]any{"matchLabels": map[string]any{"app": "a"}}, "ingress": []any{map[string]any{}},
	})
	served(t, one)
	awaitRow(t, "namespace-network-policy", "Pass", "have a network policy", "leave some pods out: "+shop)
	if err := lab.client.Delete(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	awaitRow(t, "namespace-network-policy", "Fail", bare)
	everywhere := func(name string, selector map[string]any) {
		served(t, object("cilium.io/v2", "CiliumClusterwideNetworkPolicy", "", name, map[string]any{"endpointSelector": selector, "ingress": []any{map[string]any{}}}))
	}
	everywhere("some", map[string]any{"matchLabels": map[string]any{"app": "a"}})
	awaitRow(t, "namespace-network-policy", "Fail", bare, "not counted", "CiliumClusterwideNetworkPolicy some")
	everywhere("deny", map[string]any{})
	awaitRow(t, "namespace-network-policy", "Pass", "CiliumClusterwideNetworkPolicy deny isolates the pods of every namespace")

	forbid(t, "cilium.io")
	awaitRow(t, "namespace-network-policy", "Unknown", "not read: ciliumnetworkpolicies.cilium.io: ")
	if missed := clusterReport(t).Status.Audit.Missed; len(missed) > 0 {
		t.Errorf("rollouts wait for %v", missed)
	}
}

// clusterReport is the one that the controller writes.
func clusterReport(t *testing.T) (r v1alpha1.ClusterReport) {
	t.Helper()
	read(t, object("hardgate.dev/v1alpha1", "ClusterReport", "", v1alpha1.ClusterReportName, nil), &r)
	return r
}

// awaitRow waits until the row of a control has a status, and says some words.
func awaitRow(t *testing.T, id, status string, says ...string) {
	t.Helper()
	var last v1alpha1.BenchmarkRow
	defer func() {
		if t.Failed() {
			t.Logf("the row is %s: %s", last.Status, last.Detail)
		}
	}()
	await(t, fmt.Sprintf("%s is %s and says %q", id, status, says), func() bool {
		for _, r := range clusterReport(t).Status.Rows {
			if r.Control == id {
				last = r
			}
		}
		return last.Status == status && !slices.ContainsFunc(says, func(s string) bool { return !strings.Contains(last.Detail, s) })
	})
}

// others are the namespaces of tenants but one.
func others(t *testing.T, but string) (names []string) {
	t.Helper()
	list, err := lab.admin.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range list.Items {
		if n := list.Items[i].Name; n != but && !slices.Contains(system, n) {
			names = append(names, n)
		}
	}
	return names
}

// label gives a namespace a label for the time of the test; an empty value takes it away.
func label(t *testing.T, ns, key, value string) {
	t.Helper()
	if err := relabel(t, ns, key, value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := relabel(t, ns, key, ""); err != nil {
			t.Error(err)
		}
	})
}

func relabel(t *testing.T, ns, key, value string, subresources ...string) error {
	t.Helper()
	var v any
	if value != "" {
		v = value
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]any{key: v}}})
	if err == nil {
		_, err = lab.admin.CoreV1().Namespaces().Patch(context.WithoutCancel(t.Context()), ns, types.MergePatchType, patch, metav1.PatchOptions{}, subresources...)
	}
	return err
}

func networkPolicy(t *testing.T, ns string) {
	t.Helper()
	p := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "deny"}, Spec: networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}}}
	if _, err := lab.admin.NetworkingV1().NetworkPolicies(ns).Create(t.Context(), p, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.admin.NetworkingV1().NetworkPolicies(ns).Delete(context.WithoutCancel(t.Context()), p.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
}

// crd makes a kind of Cilium's for the time of the test.
func crd(t *testing.T, plural, kind, scope string) {
	t.Helper()
	applied(t, object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", plural+".cilium.io", map[string]any{
		"group": "cilium.io", "scope": scope, "names": map[string]any{"plural": plural, "singular": strings.ToLower(kind), "kind": kind, "listKind": kind + "List"},
		"versions": []any{map[string]any{"name": "v2", "served": true, "storage": true, "schema": map[string]any{"openAPIV3Schema": map[string]any{
			"type": "object", "x-kubernetes-preserve-unknown-fields": true,
		}}}},
	}))
}

// applied applies an object for the time of the test.
func applied(t *testing.T, o *unstructured.Unstructured) {
	t.Helper()
	if _, err := lab.client.Apply(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.client.Delete(context.WithoutCancel(t.Context()), o); err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	})
}

// served applies an object of a kind that is not served yet. It goes with its kind.
func served(t *testing.T, o *unstructured.Unstructured) {
	t.Helper()
	await(t, "the API server serves "+o.GetKind(), func() bool {
		_, err := lab.client.Apply(t.Context(), o)
		return err == nil
	})
}

// forbid takes the controller's right to a group, for the time of the test.
func forbid(t *testing.T, group string) {
	t.Helper()
	roles := lab.admin.RbacV1().ClusterRoles()
	before, err := roles.Get(t.Context(), "hardgate-controller", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		now, err := roles.Get(context.WithoutCancel(t.Context()), before.Name, metav1.GetOptions{})
		if err == nil {
			now.Rules = before.Rules
			_, err = roles.Update(context.WithoutCancel(t.Context()), now, metav1.UpdateOptions{})
		}
		if err != nil {
			t.Error(err)
		}
	})
	after := before.DeepCopy()
	for i := range after.Rules {
		if slices.Contains(after.Rules[i].APIGroups, group) {
			after.Rules = slices.Delete(after.Rules, i, i+1)
			if _, err := roles.Update(t.Context(), after, metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("the controller has no right to %s", group)
}
