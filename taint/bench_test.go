package taint

import (
	"fmt"
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/taint/ruling"
)

// BenchmarkPlan plans for 5,000 nodes whose reports have all controls, by a policy that
// enforces them all.
func BenchmarkPlan(b *testing.B) {
	policies, errs := ruling.Compile([]v1alpha1.NodePolicy{{Spec: v1alpha1.NodePolicySpec{Mode: "Enforce"}}})
	if len(errs) > 0 {
		b.Fatal(errs)
	}
	f := Fleet{Policies: policies, Baseline: []RuleSet{{RuleSetID: rulesNow, FirstSeen: start, Accepted: true}}}
	shared := full(node("any")).Report
	for i := range 5000 {
		n := node(fmt.Sprintf("node-%04d", i))
		n.Pool, n.Report = fmt.Sprintf("pool-%d", i%20), shared
		if i%20 == 0 {
			n.Report = full(node("any").fails(crontab)).Report
		}
		f.Nodes = append(f.Nodes, n)
	}
	carryOut(&f, Plan(f, settings, start.Add(time.Second)))
	b.ResetTimer()
	for b.Loop() {
		if out := Plan(f, settings, start.Add(time.Minute)); out.Counts.Drifted != 250 {
			b.Fatalf("%+v", out.Counts)
		}
	}
}
