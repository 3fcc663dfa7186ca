package roster

import (
	"cmp"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/taint"
)

// trimNode keeps what the planner reads of a node, and what a patch of its taints
// needs. Most of a Node are its images.
func (p *stringPool) trimNode(n *corev1.Node) *corev1.Node {
	kept := &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: n.Name, UID: n.UID, ResourceVersion: n.ResourceVersion, CreationTimestamp: n.CreationTimestamp,
		Labels: p.pairs(n.Labels),
	}}
	if _, paused := n.Annotations[v1alpha1.PauseAnnotation]; paused {
		kept.Annotations = map[string]string{v1alpha1.PauseAnnotation: ""}
	}
	kept.Spec.Unschedulable = n.Spec.Unschedulable
	for _, t := range n.Spec.Taints {
		t.Key, t.Value, t.Effect = p.one(t.Key), p.one(t.Value), corev1.TaintEffect(p.one(string(t.Effect)))
		kept.Spec.Taints = append(kept.Spec.Taints, t)
	}
	for i := range n.Status.Conditions {
		c := &n.Status.Conditions[i]
		k := corev1.NodeCondition{Type: corev1.NodeConditionType(p.one(string(c.Type))), Status: corev1.ConditionStatus(p.one(string(c.Status)))}
		switch c.Type {
		case corev1.NodeReady:
		case taint.ConditionCompliant, taint.ConditionStale:
			k.Reason, k.Message, k.LastTransitionTime = p.one(c.Reason), c.Message, c.LastTransitionTime
		default:
			continue
		}
		kept.Status.Conditions = append(kept.Status.Conditions, k)
	}
	return kept
}

// sameNode is whether the planner would see no difference between two trimmed nodes.
func sameNode(a, b *corev1.Node) bool {
	return a.UID == b.UID && a.CreationTimestamp.Equal(&b.CreationTimestamp) && a.Spec.Unschedulable == b.Spec.Unschedulable &&
		maps.Equal(a.Labels, b.Labels) && maps.Equal(a.Annotations, b.Annotations) &&
		slices.EqualFunc(a.Spec.Taints, b.Spec.Taints, sameTaint) &&
		slices.EqualFunc(a.Status.Conditions, b.Status.Conditions, func(a, b corev1.NodeCondition) bool {
			return a.Type == b.Type && a.Status == b.Status && a.Reason == b.Reason && a.Message == b.Message &&
				a.LastTransitionTime.Equal(&b.LastTransitionTime)
		})
}

func sameTaint(a, b corev1.Taint) bool {
	return a.Key == b.Key && a.Value == b.Value && a.Effect == b.Effect && a.TimeAdded.Equal(b.TimeAdded)
}

// condition is one of a node's; zero if it has none of that type.
func condition(n *corev1.Node, of corev1.NodeConditionType) corev1.NodeCondition {
	for i := range n.Status.Conditions {
		if n.Status.Conditions[i].Type == of {
			return n.Status.Conditions[i]
		}
	}
	return corev1.NodeCondition{}
}

// Conditions are those of a node that the controller writes, as they are stored.
func Conditions(n *corev1.Node) []corev1.NodeCondition {
	return []corev1.NodeCondition{condition(n, taint.ConditionCompliant), condition(n, taint.ConditionStale)}
}

// poolOf is the value of the first of the labels that a node has.
func poolOf(n *corev1.Node, labels []string) string {
	for _, l := range labels {
		if v := n.Labels[l]; v != "" {
			return v
		}
	}
	return ""
}

// The keys of labels and taints of control-plane nodes; the second is what it was called
// before 1.20.
const (
	controlPlaneKey = "node-role.kubernetes.io/control-plane"
	masterKey       = "node-role.kubernetes.io/master"
)

// isControlPlane goes by the taint as well: a kubelet may not set the label, so that an
// installer does, after the node has registered with the taint.
func isControlPlane(n *corev1.Node) bool {
	for _, k := range []string{controlPlaneKey, masterKey} {
		if _, ok := n.Labels[k]; ok || slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == k }) {
			return true
		}
	}
	return false
}

// ownerUID is the UID of the Node that owns an object; empty if none does.
func ownerUID(owners []metav1.OwnerReference, node string) types.UID {
	for _, o := range owners {
		if o.APIVersion == "v1" && o.Kind == "Node" && o.Name == node {
			return o.UID
		}
	}
	return ""
}

// newer is whether one resourceVersion is newer than another of the same kind, which the
// API promises can be told; none is older than all.
func newer(a, b string) bool {
	// Decimal numbers without leading zeros, of any length.
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) > 0
}
