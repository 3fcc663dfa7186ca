package integration

import (
	"context"
	"encoding/json"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/taint/key"
)

// setTaints is a way to make a node's taints what they are to be.
type setTaints func(ctx context.Context, a actor, node string, taints []corev1.Taint, subresources ...string) error

// waysToTaint are all there are.
var waysToTaint = map[string]setTaints{
	"update": func(ctx context.Context, a actor, name string, taints []corev1.Taint, subresources ...string) error {
		node, err := a.typed.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		node.Spec.Taints = taints
		if len(subresources) > 0 {
			_, err = a.typed.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{})
			return err
		}
		_, err = a.typed.CoreV1().Nodes().Update(ctx, node, metav1.UpdateOptions{})
		return err
	},
	"merge patch":     patchTaints(types.MergePatchType),
	"strategic patch": patchTaints(types.StrategicMergePatchType),
	"JSON patch": func(ctx context.Context, a actor, name string, taints []corev1.Taint, subresources ...string) error {
		body, err := json.Marshal([]any{map[string]any{"op": "add", "path": "/spec/taints", "value": taints}})
		if err != nil {
			return err
		}
		_, err = a.nodes().Patch(ctx, name, types.JSONPatchType, body, metav1.PatchOptions{}, subresources...)
		return err
	},
	"apply": func(ctx context.Context, a actor, name string, taints []corev1.Taint, subresources ...string) error {
		body, err := json.Marshal(map[string]any{
			"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": name}, "spec": map[string]any{"taints": taints},
		})
		if err != nil {
			return err
		}
		o := &unstructured.Unstructured{}
		if err := o.UnmarshalJSON(body); err != nil {
			return err
		}
		_, err = a.nodes().Apply(ctx, name, o, applied("authority"), subresources...)
		return err
	},
}

func patchTaints(kind types.PatchType) setTaints {
	return func(ctx context.Context, a actor, name string, taints []corev1.Taint, subresources ...string) error {
		body, err := json.Marshal(map[string]any{"spec": map[string]any{"taints": taints}})
		if err != nil {
			return err
		}
		_, err = a.nodes().Patch(ctx, name, kind, body, metav1.PatchOptions{}, subresources...)
		return err
	}
}

var foreign = corev1.Taint{Key: "example.com/drifted", Value: "theirs", Effect: corev1.TaintEffectNoSchedule}

func ours(k string) corev1.Taint {
	at := metav1.NewTime(time.Date(2026, 11, 25, 1, 2, 3, 0, time.UTC))
	return corev1.Taint{Key: k, Value: "p", Effect: corev1.TaintEffectNoSchedule, TimeAdded: &at}
}

// ourKeys are the default ones and such as are configured for the cluster-autoscaler.
var ourKeys = []string{
	key.Drifted, key.Unverified,
	"status-taint.cluster-autoscaler.kubernetes.io/hardgate-drifted",
	"startup-taint.cluster-autoscaler.kubernetes.io/hardgate-unverified",
}

// edits are what nobody but the controller may do to a taint of ours that stands next
// to another's.
var edits = map[string]func(t corev1.Taint) []corev1.Taint{
	"removed":     func(corev1.Taint) []corev1.Taint { return []corev1.Taint{foreign} },
	"all removed": func(corev1.Taint) []corev1.Taint { return nil },
	"a value": func(t corev1.Taint) []corev1.Taint {
		t.Value = "q"
		return []corev1.Taint{foreign, t}
	},
	"no value": func(t corev1.Taint) []corev1.Taint {
		t.Value = ""
		return []corev1.Taint{foreign, t}
	},
	"an effect": func(t corev1.Taint) []corev1.Taint {
		t.Effect = corev1.TaintEffectPreferNoSchedule
		return []corev1.Taint{foreign, t}
	},
	"a second effect": func(t corev1.Taint) []corev1.Taint {
		second := t
		second.Effect = corev1.TaintEffectNoExecute
		return []corev1.Taint{foreign, t, second}
	},
	"a time": func(t corev1.Taint) []corev1.Taint {
		later := metav1.NewTime(t.TimeAdded.Add(time.Second))
		t.TimeAdded = &later
		return []corev1.Taint{foreign, t}
	},
	"no time": func(t corev1.Taint) []corev1.Taint {
		t.TimeAdded = nil
		return []corev1.Taint{foreign, t}
	},
	"a key": func(t corev1.Taint) []corev1.Taint {
		t.Key += "2"
		return []corev1.Taint{foreign, t}
	},
	"added in another domain": func(t corev1.Taint) []corev1.Taint {
		return []corev1.Taint{foreign, t, ours("example.com/hardgate-drifted")}
	},
}
