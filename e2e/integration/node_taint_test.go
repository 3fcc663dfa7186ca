package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/taint/key"
)

// poolLabel is by what the NodePolicies of these tests select, so that no other test's
// nodes are theirs.
const poolLabel = "test.hardgate.dev/registration"

func unverified() corev1.Taint {
	return corev1.Taint{Key: key.Unverified, Effect: corev1.TaintEffectNoSchedule}
}

// newPool makes a pool of nodes with a NodePolicy that says what is given, in YAML, and
// returns its name. The policy goes with the test.
func newPool(t *testing.T, annotations map[string]any, says string) string {
	t.Helper()
	pool := fmt.Sprintf("pool-%d", serial.Add(1))
	var spec map[string]any
	if err := yaml.Unmarshal([]byte(says), &spec); err != nil {
		t.Fatal(err)
	}
	spec["nodeSelector"] = map[string]any{"matchLabels": map[string]any{poolLabel: pool}}
	policy := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "hardgate.dev/v1alpha1", "kind": "NodePolicy",
		"metadata": map[string]any{"name": pool, "annotations": annotations}, "spec": spec,
	}}
	policies := own(t, "nodepolicies")
	if _, err := policies.Create(t.Context(), policy, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := policies.Delete(ctxOf(t), pool, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	return pool
}

// newUntrustingPool makes a pool whose nodes are tainted when they register, and returns
// once they are. What was stored before is in force then, too.
func newUntrustingPool(t *testing.T) string {
	t.Helper()
	pool := newPool(t, nil, `{untrustedUntilChecked: true}`)
	awaitTainting(t, pool)
	return pool
}

func awaitTainting(t *testing.T, pool string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		trial, err := lab.admin.CoreV1().Nodes().Create(t.Context(), nodeIn(pool), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err != nil {
			t.Fatal(err)
		}
		if len(taintsOf(trial)) > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the policy does not come into force")
		}
	}
}

// nodeIn is a node of a pool, with a name of its own.
func nodeIn(pool string, taints ...corev1.Taint) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("registered-%d", serial.Add(1)), Labels: map[string]string{poolLabel: pool}},
		Spec:       corev1.NodeSpec{Taints: taints},
	}
}

// registerNode creates a node, which goes with the test, and returns it as it is stored.
func registerNode(t *testing.T, by kubernetes.Interface, node *corev1.Node) *corev1.Node {
	t.Helper()
	if _, err := by.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	nodes := lab.admin.CoreV1().Nodes()
	t.Cleanup(func() {
		if err := nodes.Delete(ctxOf(t), node.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	stored, err := nodes.Get(t.Context(), node.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// taintsOf leaves out the one that the API server itself gives to every new node.
func taintsOf(node *corev1.Node) []corev1.Taint {
	return slices.DeleteFunc(slices.Clone(node.Spec.Taints), func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeNotReady })
}

func wantTaints(t *testing.T, node *corev1.Node, want ...corev1.Taint) {
	t.Helper()
	if diff := cmp.Diff(want, taintsOf(node), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("taints (-want +got):\n%s", diff)
	}
}

// A node that registers where nobody is trusted gets the taint, whoever registers it, and
// behind those that it brings.
func TestNodeIsTaintedWhenItRegisters(t *testing.T) {
	pool := newUntrustingPool(t)
	// What a kubelet brings with --register-with-taints.
	brought := []corev1.Taint{
		{Key: "example.com/zone", Value: "z", Effect: corev1.TaintEffectNoExecute},
		{Key: "example.com/gpu", Effect: corev1.TaintEffectNoSchedule},
		{Key: key.Unverified, Effect: corev1.TaintEffectPreferNoSchedule}, // which keeps no pod away
	}
	for name, taints := range map[string][]corev1.Taint{"bare": nil, "with taints": brought} {
		t.Run("by an administrator, "+name, func(t *testing.T) {
			node := registerNode(t, lab.admin, nodeIn(pool, taints...))
			wantTaints(t, node, append(slices.Clone(taints), unverified())...)
		})
		t.Run("by its kubelet, "+name, func(t *testing.T) {
			node := nodeIn(pool, taints...)
			node.Annotations = map[string]string{"example.com/note": "n"}
			node.Spec.ProviderID = "lab://" + node.Name
			kubelet := impersonated(t, "system:node:"+node.Name, "system:nodes", "system:authenticated").typed
			stored := registerNode(t, kubelet, node)
			wantTaints(t, stored, append(slices.Clone(taints), unverified())...)
			if stored.Spec.ProviderID != node.Spec.ProviderID || stored.Annotations["example.com/note"] != "n" || stored.Labels[poolLabel] != pool {
				t.Errorf("more than the taint has changed: %+v", stored)
			}
			// As a kubelet does when it starts anew.
			if _, err := kubelet.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
				t.Errorf("registering again gives %v", err)
			}
			again, err := lab.admin.CoreV1().Nodes().Get(t.Context(), node.Name, metav1.GetOptions{})
			if err != nil || again.ResourceVersion != stored.ResourceVersion {
				t.Errorf("registering again has changed the node: %v", err)
			}
		})
	}
}

func TestNodeThatHasTheTaintGetsNoOther(t *testing.T) {
	pool := newUntrustingPool(t)
	for _, name := range []string{key.Unverified, "startup-taint.cluster-autoscaler.kubernetes.io/hardgate-unverified"} {
		brought := corev1.Taint{Key: name, Effect: corev1.TaintEffectNoSchedule}
		other := corev1.Taint{Key: "example.com/gpu", Effect: corev1.TaintEffectNoSchedule}
		wantTaints(t, registerNode(t, lab.admin, nodeIn(pool, brought, other)), brought, other)
	}
}

func TestNodesThatAreNotTainted(t *testing.T) {
	trusting := newPool(t, nil, `{mode: Enforce, gracePeriod: 5m}`)
	paused := newPool(t, map[string]any{v1alpha1.PauseAnnotation: "for a test"}, `{untrustedUntilChecked: true}`)
	untrusting := newUntrustingPool(t)
	plane := corev1.Taint{Key: "node-role.kubernetes.io/control-plane", Effect: corev1.TaintEffectNoSchedule}
	labelled, annotated := nodeIn(untrusting), nodeIn(untrusting)
	labelled.Labels["node-role.kubernetes.io/control-plane"] = ""
	annotated.Annotations = map[string]string{v1alpha1.PauseAnnotation: "for a test"}
	for name, node := range map[string]*corev1.Node{
		"of a pool whose policy does not ask": nodeIn(trusting), "of a paused pool": nodeIn(paused), "of no pool": nodeIn("other"),
		"of the control plane": labelled, "paused": annotated,
	} {
		t.Run(name, func(t *testing.T) { wantTaints(t, registerNode(t, lab.admin, node)) })
	}
	// An installer has a kubelet register so: the label follows, by another hand.
	t.Run("of the control plane before its label", func(t *testing.T) {
		wantTaints(t, registerNode(t, lab.admin, nodeIn(untrusting, plane)), plane)
	})
}

// A node that is there is not touched when it changes, though it comes under a policy
// that taints.
func TestUpdateOfANodeIsLeftAlone(t *testing.T) {
	pool := newUntrustingPool(t)
	node := registerNode(t, lab.admin, nodeIn("other"))
	nodes := lab.admin.CoreV1().Nodes()
	for _, change := range []struct{ patch, subresource string }{
		{`{"metadata":{"labels":{"` + poolLabel + `":"` + pool + `"}}}`, ""},
		{`{"spec":{"unschedulable":true}}`, ""},
		{`{"status":{"conditions":[{"type":"Ready","status":"True","reason":"Test"}]}}`, "status"},
	} {
		var err error
		if node, err = nodes.Patch(t.Context(), node.Name, types.StrategicMergePatchType, []byte(change.patch), metav1.PatchOptions{}, strings.Fields(change.subresource)...); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(node.Spec.Taints, unverified()) {
			t.Errorf("%s: taints %v", change.patch, node.Spec.Taints)
		}
	}
}

// A cluster that starts from nothing has no gate yet: its nodes must register.
func TestNodeRegistersWhileTheGateIsAway(t *testing.T) {
	pool := newUntrustingPool(t)
	if err := lab.gate.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g, err := gate.Start(context.WithoutCancel(t.Context()), lab.cluster, lab.repo)
		if err != nil {
			t.Fatalf("the gate does not come back: %v", err)
		}
		lab.gate = g
	})
	wantTaints(t, registerNode(t, lab.admin, nodeIn(pool)))
}
