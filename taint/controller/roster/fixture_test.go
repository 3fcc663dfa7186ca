package roster

import (
	"strconv"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/taint"
)

var start = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// watched is a roster with a clock of its own that counts how often it told of changes.
type watched struct {
	*Roster
	t       *testing.T
	now     time.Time
	changes int
	version int
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{t: t, now: start}
	w.Roster = New("hardgate-system", []string{"agentpool", "nodegroup"}, func() { w.changes++ })
	w.Now = func() time.Time { return w.now }
	return w
}

// changed is whether anything was told of since the last call.
func (w *watched) changed() bool {
	n := w.changes
	w.changes = 0
	return n > 0
}

// next is a resourceVersion that is newer than all before.
func (w *watched) next() string {
	w.version++
	return strconv.Itoa(w.version)
}

// see is SetNode with a new version, as an informer does it.
func (w *watched) see(n *corev1.Node) *corev1.Node {
	n = n.DeepCopy()
	n.ResourceVersion = w.next()
	w.SetNode(n)
	return n
}

func (w *watched) policy(name, spec string) {
	w.t.Helper()
	w.SetPolicy(name, stored(w.t, "NodePolicy", name, spec))
}

func stored(t *testing.T, kind, name, spec string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{Object: map[string]any{}}
	text := "apiVersion: hardgate.dev/v1alpha1\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec: " + spec
	if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
		t.Fatal(err)
	}
	return u
}

func node(name string) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name), CreationTimestamp: metav1.NewTime(start)},
		Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
	}
}

func ownedBy(uid string) []metav1.OwnerReference {
	if uid == "" {
		return nil
	}
	return []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: "a", UID: types.UID(uid)}}
}

// report is one on the node a, in which a control has a status.
func (w *watched) report(uid, status string) *NodeReport {
	return &NodeReport{
		ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "report", ResourceVersion: w.next(), Generation: 1, OwnerReferences: ownedBy(uid)},
		Status:     NodeReportStatus{AgentVersion: "v1", RuleSet: "r1", Results: []NodeResult{{"ssh-x11", status}, {"perm-crontab", "Pass"}}},
	}
}

// lease is the one of the agent on the node a.
func (w *watched) lease(uid string, renewed time.Time) *coordinationv1.Lease {
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: "hardgate-system", ResourceVersion: w.next(), OwnerReferences: ownedBy(uid)},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: new("a"), LeaseDurationSeconds: new(int32(900)), RenewTime: new(metav1.NewMicroTime(renewed))},
	}
}

// a is what the planner gets of the node a.
func (w *watched) a() *taint.Node {
	w.t.Helper()
	n := w.View().Nodes["a"]
	if n == nil {
		w.t.Fatal("the node is not in the view")
	}
	return n
}

var paused = map[string]string{v1alpha1.PauseAnnotation: "maintenance"}
