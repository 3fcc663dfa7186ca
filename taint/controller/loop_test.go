package controller

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/controller/roster"
	"github.com/hardgate-dev/hardgate/taint/key"
)

// plans is how many were made.
func plans(t *testing.T, registry *prometheus.Registry) int {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "hardgate_plan_duration_seconds" {
			return int(f.GetMetric()[0].GetHistogram().GetSampleCount())
		}
	}
	t.Fatal("plans are not counted")
	return 0
}

// At once when something changes; under a stream of changes, now and then; and when
// time alone changes something. All of it whatever the machine's clock says, by that of the
// API server.
func TestLoop(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"the clocks are the same": 0, "the server's is ahead": 40 * 24 * time.Hour, "it is behind": -40 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) { testLoop(t, ahead) })
	}
}

func testLoop(t *testing.T, ahead time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := roster.New("", nil, nil)
		c := New(r)
		c.Now = func() time.Time { return time.Now().Add(ahead) }
		registry := prometheus.NewRegistry()
		c.May = func() error { return nil }
		c.Metrics = NewMetrics(registry)
		c.bulletin = newBulletin(c)
		c.Config = taint.Config{DriftedKey: key.Drifted, UnverifiedKey: key.Unverified, Started: time.Now()}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			if err := c.loop(ctx); err != nil {
				t.Error(err)
			}
		}()
		expect := func(what string, n int) {
			t.Helper()
			synctest.Wait()
			if got := plans(t, registry); got != n {
				t.Errorf("%s: %d plans, not %d", what, got, n)
			}
		}
		expect("at the start", 1)
		time.Sleep(time.Minute)
		expect("while nothing happens", 1)
		c.changes.note()
		expect("at a change", 2)
		for range 100 {
			time.Sleep(10 * time.Millisecond)
			c.changes.note()
		}
		time.Sleep(pace)
		synctest.Wait()
		if n := plans(t, registry) - 2; n < 5 || n > 6 {
			t.Errorf("in a second of changes: %d plans", n)
		}

		// A node that fails, by a policy with a grace period of ten minutes.
		time.Sleep(time.Minute)
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "u", ResourceVersion: "1", CreationTimestamp: metav1.NewTime(c.Now())}}
		node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		r.SetNode(node)
		r.SetPolicy("p", &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "hardgate.dev/v1alpha1", "kind": "NodePolicy", "metadata": map[string]any{"name": "p"},
			"spec": map[string]any{"mode": "Enforce", "gracePeriod": "10m"},
		}})
		r.SetReport(&roster.NodeReport{
			ObjectMeta: metav1.ObjectMeta{Name: "a", ResourceVersion: "1", OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: "a", UID: "u"}}},
			Status:     roster.NodeReportStatus{AgentVersion: "v1", RuleSet: "r1", Results: allControls("Fail")},
		})
		time.Sleep(pace)
		synctest.Wait()
		n := plans(t, registry)
		time.Sleep(9 * time.Minute)
		expect("within the grace period", n)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if plans(t, registry) == n {
			t.Error("the end of the grace period was missed")
		}
		cancel()
		<-done
	})
}

func TestChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChanges()
		if !c.take().IsZero() {
			t.Error("a change before any")
		}
		first := time.Now()
		c.note()
		time.Sleep(time.Second)
		c.note()
		if got := c.take(); !got.Equal(first) {
			t.Errorf("the first was at %s, not %s", got, first)
		}
		if !c.take().IsZero() {
			t.Error("it is taken twice")
		}
	})
}
