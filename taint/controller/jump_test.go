package controller

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/controller/roster"
	"github.com/hardgate-dev/hardgate/taint/key"
)

// Of several API servers one is off, or the one there is was set: what time it is jumps to
// and fro between answers. No agent is silent by that, none is heard by it, and what has
// failed to be written is tried again as soon as ever.
func TestClockJumps(t *testing.T) {
	const hours = 5 * time.Hour
	synctest.Test(t, func(t *testing.T) {
		var ahead time.Duration
		r := roster.New("", nil, nil)
		c := New(r)
		c.Now = func() time.Time { return time.Now().Add(ahead) }
		c.Metrics, c.bulletin = NewMetrics(prometheus.NewRegistry()), newBulletin(c)
		c.Config = taint.Config{DriftedKey: key.Drifted, UnverifiedKey: key.Unverified, Started: time.Now()}
		silent := func() bool { c.plan(t.Context(), time.Time{}); return c.bulletin.wanted.Nodes.Stale > 0 }

		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "u", ResourceVersion: "1", CreationTimestamp: metav1.NewTime(time.Now())}}
		node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		r.SetNode(node)
		r.SetPolicy("p", &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "hardgate.dev/v1alpha1", "kind": "NodePolicy", "metadata": map[string]any{"name": "p"}, "spec": map[string]any{"mode": "Enforce", "stale": "Enforce"},
		}})
		time.Sleep(time.Hour)
		beat := func(version string) {
			r.SetLease(&coordinationv1.Lease{
				ObjectMeta: metav1.ObjectMeta{Name: "a", ResourceVersion: version, OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: "a", UID: "u"}}},
				Spec:       coordinationv1.LeaseSpec{HolderIdentity: new("a"), RenewTime: &metav1.MicroTime{Time: time.Now()}, LeaseDurationSeconds: new(int32(60))},
			})
		}
		beat("1")
		for _, ahead = range []time.Duration{0, hours, -hours, hours} {
			if silent() {
				t.Errorf("by a clock that is %s ahead, the agent is silent", ahead)
			}
		}
		beat("2")
		time.Sleep(2 * time.Minute)
		for _, ahead = range []time.Duration{hours, 0, -hours} {
			if !silent() {
				t.Errorf("by a clock that is %s ahead, the agent that is silent is heard", ahead)
			}
		}

		ahead = hours
		begun, ok := c.agenda.take(ofConditions, func(*task) bool { return true })
		if !ok {
			t.Fatal("nothing is to be written")
		}
		c.agenda.done(begun, false, time.Now())
		ahead = 0
		if wait := c.plan(t.Context(), time.Time{}).Sub(c.Now()); wait > firstRetry {
			t.Errorf("it is tried again in %s", wait)
		}
		time.Sleep(firstRetry)
		if c.plan(t.Context(), time.Time{}); len(c.agenda.waiting[ofConditions]) != 1 {
			t.Error("what failed is not tried again")
		}
	})
}
