package tainting

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/taint"
)

// account is whom the API server sees the controller as.
const account = "system:serviceaccount:" + controller.Namespace + ":" + controller.Account

// writes counts what the controller wrote of each node, by what.
func writes(t *testing.T) map[string]int {
	t.Helper()
	events, err := lab.cluster.AuditEvents()
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for i := range events {
		e := &events[i]
		if e.User.Username == account && e.ResponseStatus.Code < 300 && !strings.Contains(e.RequestURI, "dryRun=All") {
			count[fmt.Sprintf("%s/%s %s", e.ObjectRef.Resource, e.ObjectRef.Subresource, e.ObjectRef.Name)]++
		}
	}
	return count
}

// wroteOnce is an error for each node that was not written exactly once since before.
func (g *group) wroteOnce(before map[string]int, nodes []string) {
	g.t.Helper()
	now := writes(g.t)
	for _, name := range nodes {
		for _, what := range []string{"nodes/ ", "nodes/status "} {
			if n := now[what+name] - before[what+name]; n != 1 {
				g.t.Errorf("%s%s was written %d times", what, name, n)
			}
		}
	}
}

// The leader is killed in the middle of its work. The next one goes on, and nothing is
// done twice.
func TestLeaderIsKilled(t *testing.T) {
	g := newGroup(t, 40)
	g.policy(prompt)
	first := startReplica(t, "controller-1")
	for _, name := range g.nodes {
		g.await(name, "verdict", verdict(taint.Compliant))
	}
	second := startReplica(t, "controller-2")
	before := writes(t)
	for _, name := range g.nodes[:20] {
		g.report(name, []string{crontab})
	}
	g.await(g.nodes[0], "taint", tainted)
	g.must(first.Kill(t.Context()))
	killed := time.Now()
	done := 0
	for _, name := range g.nodes[:20] {
		if tainted(g.node(name)) {
			done++
		}
	}
	for _, name := range g.nodes[20:30] {
		g.report(name, []string{x11})
	}
	// The lease of the first ends after 15 s.
	g.within(time.Minute, "taints by the next leader", func() bool {
		for _, name := range g.nodes[:30] {
			if n := g.node(name); !tainted(n) || !verdict(taint.Drifted)(n) {
				return false
			}
		}
		return true
	}, second.Log)
	t.Logf("%d of 20 were tainted when the leader was killed; the next had done all %s later", done, time.Since(killed).Round(time.Second))
	time.Sleep(time.Second) // for what should not come
	g.wroteOnce(before, g.nodes[:30])
}

// A leader that is told to end lets go at once, and the next finds nothing to do.
func TestLeaderEnds(t *testing.T) {
	g := newGroup(t, 10)
	g.policy(prompt)
	first := startReplica(t, "controller-1")
	before := writes(t)
	for _, name := range g.nodes[:5] {
		g.report(name, []string{crontab})
	}
	for _, name := range g.nodes[:5] {
		g.await(name, "taint", tainted)
		g.await(name, "verdict", verdict(taint.Drifted))
	}
	startReplica(t, "controller-2")
	began := time.Now()
	g.must(first.Stop(t.Context()))
	ended := time.Since(began)
	g.report(g.nodes[5], []string{crontab})
	g.await(g.nodes[5], "taint", tainted)
	t.Logf("ended in %s, the next has tainted after %s", ended.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	if since := time.Since(began); since > 8*time.Second {
		t.Errorf("the next leader took %s", since)
	}
	g.await(g.nodes[5], "verdict", verdict(taint.Drifted))
	now := writes(t)
	for _, name := range g.nodes[:6] {
		if n := now["nodes/ "+name] - before["nodes/ "+name]; n != 1 {
			t.Errorf("%s was written %d times", name, n)
		}
	}
	lease, err := lab.admin.CoordinationV1().Leases(controller.LeaderNamespace).Get(t.Context(), controller.Leader, metav1.GetOptions{})
	g.must(err)
	if lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "" {
		t.Error("nobody holds the lease")
	}
	g.until("an Event of the new leader", func() bool {
		all, err := lab.admin.CoreV1().Events(controller.LeaderNamespace).List(t.Context(), metav1.ListOptions{})
		g.must(err)
		return slices.ContainsFunc(all.Items, func(e corev1.Event) bool {
			return e.InvolvedObject.Name == controller.Leader && e.Reason == "LeaderElection" && e.Message == *lease.Spec.HolderIdentity+" became leader"
		})
	}, func() string { return "none says so" })
}

// Without a policy nothing is written, and a controller that finds everything as it
// should be writes nothing either.
func TestNothingIsWritten(t *testing.T) {
	g := newGroup(t, 3)
	c := start(t)
	g.report(g.nodes[0], []string{crontab})
	// A node of another group shows that the controller has planned since.
	other := newGroup(t, 2)
	other.policy(prompt)
	other.await(other.nodes[0], "verdict", verdict(taint.Compliant))
	for _, name := range g.nodes {
		if n := g.node(name); compliant(n).Type != "" || len(n.Spec.Taints) > 0 {
			t.Errorf("%s: %s", name, describe(n))
		}
	}
	g.must(c.Stop(t.Context()))
	before := writes(t)
	start(t)
	other.report(other.nodes[1], []string{crontab})
	other.await(other.nodes[1], "verdict", verdict(taint.Drifted))
	now := writes(t)
	for what, n := range now {
		if d := n - before[what]; d > 0 && what != "nodes/ "+other.nodes[1] && what != "nodes/status "+other.nodes[1] &&
			what != "clusterreports/status cluster" {
			t.Errorf("%s was written %d times", what, d)
		}
	}
}

// within is until with another limit.
func (g *group) within(limit time.Duration, what string, is func() bool, otherwise func() string) {
	g.t.Helper()
	for deadline := time.Now().Add(limit); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			g.t.Fatalf("no %s after %s: %s", what, limit, otherwise())
		}
	}
}
