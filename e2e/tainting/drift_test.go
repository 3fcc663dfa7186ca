package tainting

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/key"
)

// A node that drifts is tainted in a moment, says why, and is freed when it is mended.
func TestDriftAndMend(t *testing.T) {
	g := newGroup(t, 3)
	g.policy(prompt)
	c := start(t)
	name := g.nodes[0]
	g.await(name, "verdict", verdict(taint.Compliant))

	var took []time.Duration
	for range 5 {
		begin := time.Now()
		g.report(name, []string{crontab})
		g.await(name, "taint", tainted)
		took = append(took, time.Since(begin))
		n := g.await(name, "verdict", verdict(taint.Drifted))
		if c := compliant(n); c.Status != corev1.ConditionFalse || !strings.HasPrefix(c.Message, "Failing: perm-crontab. ") {
			t.Errorf("condition %+v", c)
		}
		if i := slices.IndexFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == key.Drifted }); n.Spec.Taints[i].TimeAdded == nil {
			t.Errorf("the API server has not kept the time: %+v", n.Spec.Taints)
		}
		g.report(name, nil)
		g.await(name, "no taint", untainted)
		g.await(name, "verdict", verdict(taint.Compliant))
	}
	slices.Sort(took)
	t.Logf("from the report to the taint: %v", took)
	if median := took[len(took)/2]; median > time.Second {
		t.Errorf("the median of %v is above 1 s", took)
	}
	for _, e := range []string{
		"HardeningDrifted: Fails perm-crontab, which", "HardeningTainted: Tainted hardgate.dev/drifted:NoSchedule: it fails perm-crontab",
		"HardeningUntainted: No longer tainted hardgate.dev/drifted:NoSchedule", "HardeningVerified: ",
	} {
		g.awaitEvent("Node", name, e)
	}
	if other := g.node(g.nodes[1]); !untainted(other) || compliant(other).Reason != string(taint.Compliant) {
		t.Errorf("another node has changed: %s", describe(other))
	}
	series, err := c.Metrics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := series["hardgate_taint_latency_seconds_count"]; n != 5 {
		t.Errorf("%v taints were timed, not 5", n)
	}
	for name, v := range series {
		if strings.HasPrefix(name, "hardgate_taint_latency_seconds_sum") || strings.HasPrefix(name, "hardgate_writes_total") && v > 0 {
			t.Logf("%s %v", name, v)
		}
	}
}
