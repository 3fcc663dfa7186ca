package roster

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/taint"
)

func TestNode(t *testing.T) {
	at := metav1.NewTime(start)
	tests := map[string]struct {
		change func(*corev1.Node)
		want   func(*taint.Node)
	}{
		"plain": {func(*corev1.Node) {}, func(*taint.Node) {}},
		"not ready": {
			func(n *corev1.Node) { n.Status.Conditions[0].Status = corev1.ConditionFalse },
			func(n *taint.Node) { n.Ready = false },
		},
		"readiness unknown": {
			func(n *corev1.Node) { n.Status.Conditions[0].Status = corev1.ConditionUnknown },
			func(n *taint.Node) { n.Ready = false },
		},
		"no conditions": {
			func(n *corev1.Node) { n.Status.Conditions = nil },
			func(n *taint.Node) { n.Ready = false },
		},
		"cordoned": {func(n *corev1.Node) { n.Spec.Unschedulable = true }, func(n *taint.Node) { n.Cordoned = true }},
		"paused": {
			func(n *corev1.Node) { n.Annotations = paused },
			func(n *taint.Node) { n.Paused = true },
		},
		"paused without a reason": {
			func(n *corev1.Node) { n.Annotations = map[string]string{"hardgate.dev/pause": ""} },
			func(n *taint.Node) { n.Paused = true },
		},
		"other annotations": {func(n *corev1.Node) { n.Annotations = map[string]string{"a": "b"} }, func(*taint.Node) {}},
		"pool by the second label": {
			func(n *corev1.Node) { n.Labels = map[string]string{"nodegroup": "blue"} },
			func(n *taint.Node) { n.Pool, n.Labels = "blue", labels.Set{"nodegroup": "blue"} },
		},
		"pool by the first of two": {
			func(n *corev1.Node) { n.Labels = map[string]string{"nodegroup": "blue", "agentpool": "red"} },
			func(n *taint.Node) { n.Pool, n.Labels = "red", labels.Set{"nodegroup": "blue", "agentpool": "red"} },
		},
		"an empty pool is none": {
			func(n *corev1.Node) { n.Labels = map[string]string{"agentpool": "", "nodegroup": "blue"} },
			func(n *taint.Node) { n.Pool, n.Labels = "blue", labels.Set{"agentpool": "", "nodegroup": "blue"} },
		},
		"control plane": {
			func(n *corev1.Node) { n.Labels = map[string]string{"node-role.kubernetes.io/control-plane": ""} },
			func(n *taint.Node) {
				n.ControlPlane, n.Labels = true, labels.Set{"node-role.kubernetes.io/control-plane": ""}
			},
		},
		"control plane by its old name": {
			func(n *corev1.Node) { n.Labels = map[string]string{"node-role.kubernetes.io/master": "true"} },
			func(n *taint.Node) {
				n.ControlPlane, n.Labels = true, labels.Set{"node-role.kubernetes.io/master": "true"}
			},
		},
		"control plane before its label": {
			func(n *corev1.Node) {
				n.Spec.Taints = []corev1.Taint{{Key: "node-role.kubernetes.io/control-plane", Effect: corev1.TaintEffectNoSchedule}}
			},
			func(n *taint.Node) {
				n.ControlPlane = true
				n.Taints = []corev1.Taint{{Key: "node-role.kubernetes.io/control-plane", Effect: corev1.TaintEffectNoSchedule}}
			},
		},
		"taints with all that they have": {
			func(n *corev1.Node) {
				n.Spec.Taints = []corev1.Taint{{Key: "b", Value: "c", Effect: corev1.TaintEffectNoExecute, TimeAdded: &at}, {Key: "a", Effect: corev1.TaintEffectNoSchedule}}
			},
			func(n *taint.Node) {
				n.Taints = []corev1.Taint{{Key: "b", Value: "c", Effect: corev1.TaintEffectNoExecute, TimeAdded: &at}, {Key: "a", Effect: corev1.TaintEffectNoSchedule}}
			},
		},
		"conditions of ours": {
			func(n *corev1.Node) {
				n.Status.Conditions = append(n.Status.Conditions,
					corev1.NodeCondition{Type: "HardeningCompliant", Status: "False", Reason: "Drifted", Message: "m", LastTransitionTime: at, LastHeartbeatTime: at},
					corev1.NodeCondition{Type: "HardeningReportStale", Status: "True", Reason: "AgentSilent", Message: "s", LastTransitionTime: at},
					corev1.NodeCondition{Type: "MemoryPressure", Status: "False"})
			},
			func(n *taint.Node) {
				n.Compliant = corev1.NodeCondition{Type: "HardeningCompliant", Status: "False", Reason: "Drifted", Message: "m", LastTransitionTime: at}
				n.Stale = corev1.NodeCondition{Type: "HardeningReportStale", Status: "True", Reason: "AgentSilent", Message: "s", LastTransitionTime: at}
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWatched(t)
			n := node("a")
			tt.change(n)
			w.see(n)
			want := &taint.Node{Name: "a", UID: "uid-a", Created: start, Ready: true}
			tt.want(want)
			if diff := cmp.Diff(want, w.a(), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What wakes the planner: each of these, and no heartbeat.
func TestNodeChanges(t *testing.T) {
	w := newWatched(t)
	w.see(node("a"))
	if !w.changed() {
		t.Error("a new node is no change")
	}
	heartbeat := node("a")
	heartbeat.Status.Conditions[0].LastHeartbeatTime = metav1.NewTime(start.Add(time.Minute))
	heartbeat.Status.Conditions[0].Message = "kubelet is posting ready status"
	heartbeat.Status.Conditions = append(heartbeat.Status.Conditions, corev1.NodeCondition{Type: corev1.NodeDiskPressure})
	heartbeat.Status.Images = []corev1.ContainerImage{{Names: []string{"a"}}}
	heartbeat.Annotations = map[string]string{"a": "b"}
	w.see(heartbeat)
	if w.changed() {
		t.Error("a heartbeat is a change")
	}
	for name, change := range map[string]func(*corev1.Node){
		"label":     func(n *corev1.Node) { n.Labels = map[string]string{"a": "b"} },
		"cordoned":  func(n *corev1.Node) { n.Spec.Unschedulable = true },
		"paused":    func(n *corev1.Node) { n.Annotations = paused },
		"not ready": func(n *corev1.Node) { n.Status.Conditions[0].Status = "False" },
		"taint":     func(n *corev1.Node) { n.Spec.Taints = []corev1.Taint{{Key: "a", Effect: "NoSchedule"}} },
		"condition": func(n *corev1.Node) {
			n.Status.Conditions = append(n.Status.Conditions, corev1.NodeCondition{Type: "HardeningCompliant", Status: "True"})
		},
		"recreated": func(n *corev1.Node) { n.UID = "another" },
	} {
		w.see(node("a"))
		before := w.a()
		w.changed()
		n := node("a")
		change(n)
		w.see(n)
		if !w.changed() {
			t.Errorf("%s is no change", name)
		}
		if cmp.Equal(before, w.a()) {
			t.Errorf("%s is not in the view", name)
		}
	}
	last := w.see(node("a"))
	w.changed()
	w.DeleteNode(last)
	if !w.changed() || len(w.View().Nodes) > 0 || len(w.entries) > 0 {
		t.Errorf("after its deletion: %+v", w.entries)
	}
}

// An informer may tell late what a write has told before.
func TestNodeOutOfOrder(t *testing.T) {
	w := newWatched(t)
	old := w.see(node("a"))
	n := node("a")
	n.Labels = map[string]string{"version": "two"}
	n.ResourceVersion = "10" // which is less than 9 only as text
	w.version = 10
	w.Saw(n)
	late := old.DeepCopy()
	late.ResourceVersion = "9"
	w.SetNode(late)
	if w.a().Labels["version"] != "two" {
		t.Error("an older version has taken the place of a newer one")
	}
	w.DeleteNode(old)
	w.Saw(n)
	if len(w.View().Nodes) > 0 {
		t.Error("a node that is gone came back by an answer that was late")
	}
}
