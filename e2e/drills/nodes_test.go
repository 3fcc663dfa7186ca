package drills

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/key"
)

// crontab is the control that nodes fail here.
const crontab = "perm-crontab"

// fleet are nodes of one test, which a NodePolicy of its own selects.
type fleet struct {
	t     *testing.T
	name  string
	nodes []string
}

// newFleet makes nodes that pass, and the policy that taints at once those that do not.
func newFleet(t *testing.T, n int) *fleet {
	t.Helper()
	f := &fleet{t: t, name: fmt.Sprintf("fleet-%d", serial.Add(1))}
	for i := range n {
		name := fmt.Sprintf("%s-%02d", f.name, i)
		f.nodes = append(f.nodes, name)
		node := &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"fleet": f.name, "agentpool": f.name}},
			Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
		}
		if _, err := lab.admin.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		// Admission adds the taint not-ready, which the node lifecycle controller would remove.
		if _, err := lab.admin.CoreV1().Nodes().Patch(t.Context(), name, types.MergePatchType, []byte(`{"spec":{"taints":null}}`), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		f.report(name, false)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		for _, name := range f.nodes {
			for _, err := range []error{
				lab.admin.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{}), resource("nodereports").Delete(ctx, name, metav1.DeleteOptions{}),
			} {
				if err != nil && !apierrors.IsNotFound(err) {
					t.Error(err)
				}
			}
		}
	})
	applied(t, "nodepolicies", "NodePolicy", f.name, map[string]any{
		"nodeSelector": map[string]any{"matchLabels": map[string]any{"fleet": f.name}},
		"controls":     []any{map[string]any{"id": crontab, "mode": "Enforce"}},
		"gracePeriod":  "0s", "clearAfter": "0s", "minimumDwell": "0s",
		"budget": map[string]any{"cluster": "100%", "pool": "100%", "correlation": "100%"},
	})
	return f
}

// report writes what an agent would.
func (f *fleet) report(name string, fails bool) {
	f.t.Helper()
	if err := f.tryReport(name, fails); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fleet) tryReport(name string, fails bool) error {
	node, err := lab.admin.CoreV1().Nodes().Get(f.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	r := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "NodeReport", "metadata": map[string]any{"name": name},
	}}
	r.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: name, UID: node.UID}})
	if _, err := resource("nodereports").Create(f.t.Context(), r, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	result := v1alpha1.NodeResult{Control: crontab, Status: "Pass"}
	if fails {
		result.Status = "Fail"
		result.Findings = []v1alpha1.NodeFinding{{Path: "/etc/crontab", Expected: "one", Actual: "another"}}
	}
	patch, err := json.Marshal(map[string]any{"status": v1alpha1.NodeReportStatus{AgentVersion: "v1", RuleSet: "drills", Results: []v1alpha1.NodeResult{result}}})
	if err != nil {
		return err
	}
	_, err = resource("nodereports").Patch(f.t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

func tainted(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return key.IsDrifted(t.Key) })
}

// awaitVerdict waits until nodes have this verdict, and its taint.
func (f *fleet) awaitVerdict(limit time.Duration, v taint.Verdict, nodes []string) time.Duration {
	f.t.Helper()
	return await(f.t, limit, fmt.Sprintf("%d nodes are %s", len(nodes), v), func() bool {
		for _, name := range nodes {
			n, err := lab.admin.CoreV1().Nodes().Get(f.t.Context(), name, metav1.GetOptions{})
			if err != nil || tainted(n) != (v == taint.Drifted) || !slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
				return c.Type == taint.ConditionCompliant && c.Reason == string(v)
			}) {
				return false
			}
		}
		return true
	})
}

// history is what has become of the taints of a fleet, by version of the nodes.
type history struct {
	f    *fleet
	from string
}

func (f *fleet) record() *history {
	f.t.Helper()
	list, err := lab.admin.CoreV1().Nodes().List(f.t.Context(), metav1.ListOptions{})
	if err != nil {
		f.t.Fatal(err)
	}
	return &history{f: f, from: list.ResourceVersion}
}

// flips reads from the API server's own history how often each node got the taint, and how
// often it lost it.
func (h *history) flips() (got, lost map[string]int) {
	h.f.t.Helper()
	got, lost = map[string]int{}, map[string]int{}
	ctx, cancel := context.WithTimeout(h.f.t.Context(), 5*time.Second)
	defer cancel()
	w, err := lab.admin.CoreV1().Nodes().Watch(ctx, metav1.ListOptions{
		ResourceVersion: h.from, LabelSelector: "fleet=" + h.f.name, TimeoutSeconds: new(int64(2)),
	})
	if err != nil {
		h.f.t.Fatal(err)
	}
	defer w.Stop()
	was := map[string]bool{}
	for e := range w.ResultChan() {
		n, ok := e.Object.(*corev1.Node)
		if !ok {
			h.f.t.Fatalf("the history of the nodes is gone: %+v", e.Object)
		}
		switch is := tainted(n); {
		case is && !was[n.Name]:
			got[n.Name]++
		case !is && was[n.Name]:
			lost[n.Name]++
		}
		was[n.Name] = tainted(n)
	}
	return got, lost
}

// steady is an error for each node that did not get its taint exactly once, or lost it. Of
// the others none may have had it.
func (h *history) steady(nodes []string) {
	h.f.t.Helper()
	got, lost := h.flips()
	for _, name := range h.f.nodes {
		want := 0
		if slices.Contains(nodes, name) {
			want = 1
		}
		if got[name] != want || lost[name] != 0 {
			h.f.t.Errorf("%s was tainted %d times, and freed %d times; want %d and 0", name, got[name], lost[name], want)
		}
	}
}

// account is whom the API server sees the controllers as.
const account = "system:serviceaccount:" + controller.Namespace + ":" + controller.Account

// written counts what the controllers wrote of each node by the audit log, and were
// answered that they had.
func written(t *testing.T) map[string]int {
	t.Helper()
	events, err := lab.cluster.AuditEvents()
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for i := range events {
		if e := &events[i]; e.User.Username == account && e.ObjectRef.Resource == "nodes" && e.ResponseStatus.Code < 300 {
			count[e.ObjectRef.Subresource+" "+e.ObjectRef.Name]++
		}
	}
	return count
}

// writtenOnce is an error for each node of which something was written twice since before.
func (f *fleet) writtenOnce(before map[string]int, nodes []string) {
	f.t.Helper()
	now := written(f.t)
	for _, name := range nodes {
		for _, subresource := range []string{"", "status"} {
			if n := now[subresource+" "+name] - before[subresource+" "+name]; n != 1 {
				f.t.Errorf("%s/%s was written %d times", name, subresource, n)
			}
		}
	}
}

// nobody is no lease's holder.
const nobody = ""

// holder is who holds the leader's Lease now.
func holder(ctx context.Context) (string, error) {
	lease, err := lab.admin.CoordinationV1().Leases(controller.LeaderNamespace).Get(ctx, controller.Leader, metav1.GetOptions{})
	if err != nil || lease.Spec.HolderIdentity == nil {
		return nobody, err
	}
	return *lease.Spec.HolderIdentity, nil
}

// writtenAtMostOnce is an error for each node of which the API server has answered twice
// since before that it was written. A write that was stored and not answered in time is
// none of these.
func (f *fleet) writtenAtMostOnce(before map[string]int) {
	f.t.Helper()
	for what, n := range written(f.t) {
		if n -= before[what]; n > 1 && slices.Contains(f.nodes, strings.TrimPrefix(strings.TrimPrefix(what, "status"), " ")) {
			f.t.Errorf("%s was written %d times", what, n)
		}
	}
}
