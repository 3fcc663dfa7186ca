package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/taint"
)

func kubeletOf(t *testing.T, node string) actor {
	t.Helper()
	return impersonated(t, "system:node:"+node, "system:nodes", "system:authenticated")
}

// installKubeletPolicy puts the policy in force.
func installKubeletPolicy(t *testing.T) {
	t.Helper()
	authorities(t)
	trial := newNode(t, "")
	awaitInForce(t, kubeletsPolicy, func(ctx context.Context) error {
		body := []byte(`{"metadata":{"annotations":{"hardgate.dev/pause":""}}}`)
		_, err := kubeletOf(t, trial).nodes().Patch(ctx, trial, types.MergePatchType, body, metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	})
}

func patchNode(a actor, name string, kind types.PatchType, body string, subresources ...string) attempt {
	return func(ctx context.Context) error {
		_, err := a.nodes().Patch(ctx, name, kind, []byte(body), metav1.PatchOptions{}, subresources...)
		return err
	}
}

func condition(kind corev1.NodeConditionType, status corev1.ConditionStatus, reason string) corev1.NodeCondition {
	at := metav1.NewTime(time.Date(2026, 11, 25, 1, 2, 3, 0, time.UTC))
	return corev1.NodeCondition{Type: kind, Status: status, Reason: reason, LastTransitionTime: at, LastHeartbeatTime: at}
}

// judged makes a node on which the controller has written its conditions, as it does.
func judged(t *testing.T) string {
	t.Helper()
	name := newNode(t, "")
	body, err := json.Marshal(map[string]any{"status": map[string]any{"conditions": []corev1.NodeCondition{
		condition(taint.ConditionCompliant, corev1.ConditionFalse, string(taint.Drifted)), condition(taint.ConditionStale, corev1.ConditionFalse, "Fresh"),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := patchNode(theController(t), name, types.StrategicMergePatchType, string(body), "status")(t.Context()); err != nil {
		t.Fatalf("the controller writes its conditions: %v", err)
	}
	return name
}

// heartbeat patches the status as a kubelet does: by the difference between the node
// that it read last, which may be long ago, and what it has found since.
func heartbeat(ctx context.Context, kubelet actor, known *corev1.Node, change func(*corev1.Node)) error {
	now := known.DeepCopy()
	change(now)
	before, err := json.Marshal(known)
	if err != nil {
		return err
	}
	after, err := json.Marshal(now)
	if err != nil {
		return err
	}
	patch, err := strategicpatch.CreateTwoWayMergePatch(before, after, corev1.Node{})
	if err != nil {
		return err
	}
	_, err = kubelet.typed.CoreV1().Nodes().Patch(ctx, known.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

// beat sets a kubelet's own conditions, in the place where they are.
func beat(status corev1.ConditionStatus) func(*corev1.Node) {
	return func(n *corev1.Node) {
		for _, kind := range []corev1.NodeConditionType{corev1.NodeMemoryPressure, corev1.NodeReady} {
			c := condition(kind, status, "Kubelet")
			c.LastHeartbeatTime = metav1.Now()
			at := -1
			for i := range n.Status.Conditions {
				if n.Status.Conditions[i].Type == kind {
					at = i
				}
			}
			if at < 0 {
				n.Status.Conditions = append(n.Status.Conditions, c)
			} else {
				n.Status.Conditions[at] = c
			}
		}
	}
}

// A kubelet's heartbeats go on, whatever the controller writes between them.
func TestAuthorityLetsKubeletsBeat(t *testing.T) {
	installKubeletPolicy(t)
	name := newNode(t, "")
	kubelet, control := kubeletOf(t, name), theController(t)
	unknowing := getNode(t, name)
	ours := func(reason string) {
		t.Helper()
		body, err := json.Marshal(map[string]any{"status": map[string]any{"conditions": []corev1.NodeCondition{
			condition(taint.ConditionStale, corev1.ConditionTrue, reason), condition(taint.ConditionCompliant, corev1.ConditionTrue, reason),
		}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := patchNode(control, name, types.StrategicMergePatchType, string(body), "status")(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	known := map[string]*corev1.Node{"before any condition": unknowing}
	pulse := func(now string) {
		t.Helper()
		for when, node := range known {
			for _, status := range []corev1.ConditionStatus{corev1.ConditionTrue, corev1.ConditionFalse} {
				if err := heartbeat(t.Context(), kubelet, node, beat(status)); err != nil {
					t.Errorf("%s, with the node known from %s: %v", now, when, err)
				}
			}
		}
	}
	pulse("first")
	known["its own conditions"] = getNode(t, name)
	ours("A")
	pulse("with the controller's")
	known["both"] = getNode(t, name)
	ours("B")
	pulse("with the controller's, changed")
	if err := patchNode(control, name, types.StrategicMergePatchType,
		`{"status":{"conditions":[{"type":"HardeningReportStale","$patch":"delete"}]}}`, "status")(t.Context()); err != nil {
		t.Fatal(err)
	}
	pulse("with one of the controller's removed")
	if err := patchNode(administrator(t), name, types.MergePatchType, `{"metadata":{"annotations":{"hardgate.dev/pause":"by an administrator"}}}`)(t.Context()); err != nil {
		t.Fatal(err)
	}
	pulse("while it is paused")
	// Older kubelets replace the status as a whole, and some things the whole node.
	node := getNode(t, name)
	beat(corev1.ConditionTrue)(node)
	node, err := kubelet.typed.CoreV1().Nodes().UpdateStatus(t.Context(), node, metav1.UpdateOptions{})
	if err != nil {
		t.Fatalf("a status as a whole: %v", err)
	}
	node.Labels = map[string]string{"a": "b"}
	if _, err := kubelet.typed.CoreV1().Nodes().Update(t.Context(), node, metav1.UpdateOptions{}); err != nil {
		t.Errorf("a node as a whole: %v", err)
	}
	got := map[corev1.NodeConditionType]string{}
	for _, c := range getNode(t, name).Status.Conditions {
		got[c.Type] = c.Reason
	}
	want := map[corev1.NodeConditionType]string{taint.ConditionCompliant: "B", corev1.NodeReady: "Kubelet", corev1.NodeMemoryPressure: "Kubelet"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("conditions %v, want %v", got, want)
	}
}

// What the controller remembers on the node, the node's kubelet does not write.
func TestAuthorityKeepsConditionsFromKubelets(t *testing.T) {
	installKubeletPolicy(t)
	name := judged(t)
	kubelet, known := kubeletOf(t, name), getNode(t, name)
	bare := newNode(t, "")
	forge := func(change func(*corev1.Node)) attempt {
		return func(ctx context.Context) error { return heartbeat(ctx, kubelet, known, change) }
	}
	replaced := func(change func(*corev1.Node)) attempt {
		return func(ctx context.Context) error {
			node, err := kubelet.typed.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			change(node)
			_, err = kubelet.typed.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{})
			return err
		}
	}
	first := func(change func(*corev1.NodeCondition)) func(*corev1.Node) {
		return func(n *corev1.Node) { change(&n.Status.Conditions[0]) }
	}
	status := first(func(c *corev1.NodeCondition) { c.Status = corev1.ConditionTrue })
	since := first(func(c *corev1.NodeCondition) { c.LastTransitionTime = metav1.Now() })
	reason := first(func(c *corev1.NodeCondition) { c.Reason = string(taint.Compliant) })
	none := func(n *corev1.Node) { n.Status.Conditions = nil }
	one := func(n *corev1.Node) { n.Status.Conditions = n.Status.Conditions[:1] }
	for what, try := range map[string]attempt{
		"status": forge(status), "since when": forge(since), "reason": forge(reason), "none": forge(none), "one": forge(one),
		"status, as a whole": replaced(status), "since when, as a whole": replaced(since), "reason, as a whole": replaced(reason),
		"none, as a whole": replaced(none), "one, as a whole": replaced(one),
		"null":      patchNode(kubelet, name, types.MergePatchType, `{"status":{"conditions":null}}`, "status"),
		"no status": patchNode(kubelet, name, types.MergePatchType, `{"status":null}`, "status"),
		"replace":   patchNode(kubelet, name, types.StrategicMergePatchType, `{"status":{"conditions":[{"$patch":"replace"},{"type":"Ready","status":"True"}]}}`, "status"),
		"JSON":      patchNode(kubelet, name, types.JSONPatchType, `[{"op":"replace","path":"/status/conditions/0/reason","value":"Compliant"}]`, "status"),
		"added":     patchNode(kubeletOf(t, bare), bare, types.StrategicMergePatchType, `{"status":{"conditions":[{"type":"HardeningCompliant","status":"True"}]}}`, "status"),
		"applied": func(ctx context.Context) error {
			o := with(object(t, &corev1.Node{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Node"}, ObjectMeta: metav1.ObjectMeta{Name: bare}}),
				[]any{map[string]any{"type": "HardeningReportStale", "status": "False"}}, "status", "conditions")
			_, err := kubeletOf(t, bare).nodes().ApplyStatus(ctx, bare, o, applied("kubelet"))
			return err
		},
	} {
		t.Run(what, func(t *testing.T) { wantRefused(t, try(t.Context()), kubeletsPolicy) })
	}
	after := getNode(t, name).Status.Conditions
	if len(after) != 2 || after[0].Reason != string(taint.Drifted) || after[1].Reason != "Fresh" {
		t.Errorf("conditions %+v", after)
	}
	// The main resource drops what it is sent of the status, so that nothing is refused.
	if err := patchNode(kubelet, name, types.MergePatchType, `{"status":{"conditions":null},"metadata":{"labels":{"a":"b"}}}`)(t.Context()); err != nil {
		t.Errorf("a patch of the node: %v", err)
	}
	if after := getNode(t, name); len(after.Status.Conditions) != 2 || after.Labels["a"] != "b" {
		t.Errorf("conditions %+v, labels %v", after.Status.Conditions, after.Labels)
	}
}

func TestAuthorityKeepsPausesFromKubelets(t *testing.T) {
	installKubeletPolicy(t)
	name, paused := newNode(t, ""), newNode(t, "")
	pause := func(value string) string {
		return `{"metadata":{"annotations":{"` + v1alpha1.PauseAnnotation + `":` + value + `,"example.com/other":"x"}}}`
	}
	if err := patchNode(administrator(t), paused, types.MergePatchType, pause(`"by hand"`))(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, subresources := range [][]string{nil, {"status"}} {
		for what, try := range map[string]attempt{
			"set":         patchNode(kubeletOf(t, name), name, types.MergePatchType, pause(`"true"`), subresources...),
			"set, empty":  patchNode(kubeletOf(t, name), name, types.StrategicMergePatchType, pause(`""`), subresources...),
			"changed":     patchNode(kubeletOf(t, paused), paused, types.MergePatchType, pause(`"true"`), subresources...),
			"removed":     patchNode(kubeletOf(t, paused), paused, types.MergePatchType, pause(`null`), subresources...),
			"all removed": patchNode(kubeletOf(t, paused), paused, types.MergePatchType, `{"metadata":{"annotations":null}}`, subresources...),
		} {
			t.Run(fmt.Sprint(what, subresources), func(t *testing.T) { wantRefused(t, try(t.Context()), kubeletsPolicy) })
		}
		for _, node := range []string{name, paused} {
			if err := patchNode(kubeletOf(t, node), node, types.MergePatchType, `{"metadata":{"annotations":{"example.com/other":"y"}}}`, subresources...)(t.Context()); err != nil {
				t.Errorf("another annotation: %v", err)
			}
		}
	}
	if err := patchNode(administrator(t), paused, types.MergePatchType, pause(`null`))(t.Context()); err != nil {
		t.Errorf("an administrator ends the pause: %v", err)
	}
}
