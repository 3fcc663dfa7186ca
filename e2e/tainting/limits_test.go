package tainting

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/taint"
)

// clusterReport is what the controller says of the cluster.
func (g *group) clusterReport() v1alpha1.ClusterReportStatus {
	g.t.Helper()
	u, err := resource("clusterreports").Get(g.t.Context(), v1alpha1.ClusterReportName, metav1.GetOptions{})
	g.must(err)
	var r v1alpha1.ClusterReport
	g.must(runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &r))
	return r.Status
}

// awaitCondition waits until the ClusterReport has a condition, and returns it.
func (g *group) awaitCondition(kind string, status metav1.ConditionStatus) metav1.Condition {
	g.t.Helper()
	var s v1alpha1.ClusterReportStatus
	var found metav1.Condition
	g.until("condition "+kind+"="+string(status), func() bool {
		s = g.clusterReport()
		i := slices.IndexFunc(s.Conditions, func(c metav1.Condition) bool { return c.Type == kind && c.Status == status })
		if i >= 0 {
			found = s.Conditions[i]
		}
		return i >= 0
	}, func() string { return strings.Join(conditions(s), "\n") })
	return found
}

func conditions(s v1alpha1.ClusterReportStatus) (list []string) {
	for _, c := range s.Conditions {
		list = append(list, c.Type+"="+string(c.Status)+": "+c.Message)
	}
	return list
}

// most watches how many of the nodes are tainted at once, from now on until the
// function that it returns is called.
func (g *group) most() func() int {
	g.t.Helper()
	w, err := lab.admin.CoreV1().Nodes().Watch(g.t.Context(), metav1.ListOptions{LabelSelector: "group=" + g.name})
	g.must(err)
	result := make(chan int)
	go func() {
		is, most := map[string]bool{}, 0
		for e := range w.ResultChan() {
			n, ok := e.Object.(*corev1.Node)
			if !ok {
				continue
			}
			if delete(is, n.Name); tainted(n) {
				is[n.Name] = true
			}
			most = max(most, len(is))
		}
		result <- most
	}()
	return func() int {
		w.Stop()
		return <-result
	}
}

// A hundred nodes fail one after the other, faster than anybody could look. At no time
// are more of them tainted than the budget allows.
func TestBudgetInAStorm(t *testing.T) {
	g := newGroup(t, 100)
	g.policy(strings.Replace(prompt, "cluster: 100%", "cluster: 10%", 1))
	c := start(t)
	for _, name := range g.nodes {
		g.await(name, "verdict", verdict(taint.Compliant))
	}
	most := g.most()
	begin := time.Now()
	for _, name := range g.nodes {
		g.report(name, []string{crontab})
	}
	for _, name := range g.nodes {
		g.await(name, "verdict", verdict(taint.Drifted))
	}
	settled := time.Since(begin)
	cond := g.awaitCondition(v1alpha1.ConditionBudgetExhausted, metav1.ConditionTrue)
	time.Sleep(time.Second) // for what should not come
	if n := most(); n != 10 {
		t.Errorf("%d were tainted at once, the budget is 10", n)
	}
	t.Logf("settled after %s: %s", settled.Round(time.Millisecond), cond.Message)
	// The report is written once in two seconds.
	var s v1alpha1.ClusterReportStatus
	g.until("counts of all nodes", func() bool {
		s = g.clusterReport()
		return s.Nodes.Tainted == 10 && s.Nodes.Drifted == 100 && s.Nodes.Held == 90
	}, func() string { return fmt.Sprintf("%+v", s.Nodes) })
	series, err := c.Metrics(t.Context())
	g.must(err)
	for name, want := range map[string]float64{
		`hardgate_nodes{verdict="Drifted"}`: 100, "hardgate_nodes_tainted": 10, "hardgate_taint_budget_used": 10, "hardgate_taint_budget_limit": 10,
		`hardgate_nodes_held{reason="ClusterBudget"}`: 90,
	} {
		if series[name] != want {
			t.Errorf("%s is %v, want %v", name, series[name], want)
		}
	}
	// What is freed goes to others, one for one.
	most = g.most()
	var mended, waits string
	for _, name := range g.nodes {
		if tainted(g.node(name)) {
			mended = name
		} else {
			waits = name
		}
	}
	g.report(mended, nil)
	g.await(mended, "no taint", untainted)
	g.until("taint on another", func() bool { return g.count() == 10 }, func() string { return waits })
	for _, name := range g.nodes {
		g.report(name, nil)
	}
	g.until("end of all taints", func() bool { return g.count() == 0 }, func() string { return "" })
	if n := most(); n > 10 {
		t.Errorf("%d were tainted at once", n)
	}
	g.awaitCondition(v1alpha1.ConditionBudgetExhausted, metav1.ConditionFalse)
}

// count is how many nodes of the group are tainted.
func (g *group) count() (n int) {
	g.t.Helper()
	list, err := lab.admin.CoreV1().Nodes().List(g.t.Context(), metav1.ListOptions{LabelSelector: "group=" + g.name})
	g.must(err)
	for i := range list.Items {
		if tainted(&list.Items[i]) {
			n++
		}
	}
	return n
}

// So many fail one control that the rule must be at fault: nobody is tainted, and it is
// said once, of the cluster.
func TestCorrelationStop(t *testing.T) {
	g := newGroup(t, 20)
	g.policy(strings.Replace(strings.Replace(prompt, "correlation: 100%", "correlation: 20%", 1), "gracePeriod: 0s", "gracePeriod: 2s", 1))
	start(t)
	for _, name := range g.nodes {
		g.await(name, "verdict", verdict(taint.Compliant))
	}
	most, before := g.most(), len(g.events("ClusterReport", "cluster"))
	for _, name := range g.nodes[:10] {
		g.report(name, []string{x11})
	}
	cond := g.awaitCondition(v1alpha1.ConditionCorrelationStop, metav1.ConditionTrue)
	if !strings.HasPrefix(cond.Message, "Nobody new is tainted because of ssh-x11. ") {
		t.Errorf("it says %q", cond.Message)
	}
	g.awaitEvent("ClusterReport", "cluster", "CorrelationStop: Nobody new is tainted because of ssh-x11.")
	for _, name := range g.nodes[:10] {
		n := g.await(name, "verdict", verdict(taint.Drifted))
		if !untainted(n) {
			t.Errorf("%s is tainted", name)
		}
	}
	time.Sleep(3 * time.Second) // beyond the grace period
	if n := most(); n > 0 {
		t.Errorf("%d were tainted", n)
	}
	if n := len(g.events("ClusterReport", "cluster")) - before; n != 1 {
		t.Errorf("%d Events of the cluster: %v", n, g.events("ClusterReport", "cluster"))
	}
	// Most are mended: the rest is what a taint is for.
	for _, name := range g.nodes[1:10] {
		g.report(name, nil)
	}
	g.await(g.nodes[0], "taint", tainted)
	g.awaitCondition(v1alpha1.ConditionCorrelationStop, metav1.ConditionFalse)
	g.awaitEvent("ClusterReport", "cluster", "CorrelationStopEnded: ")
}

// A new rule set taints nobody until the fleet has been seen by it, and what was seen is
// kept for the next leader.
func TestBaselineIsStored(t *testing.T) {
	g := newGroup(t, 4)
	g.policy(prompt)
	c := start(t)
	g.await(g.nodes[0], "verdict", verdict(taint.Compliant))
	by := func(version string) func(*v1alpha1.NodeReportStatus) {
		return func(s *v1alpha1.NodeReportStatus) { s.AgentVersion = version }
	}
	g.report(g.nodes[0], []string{crontab}, by("v2"))
	n := g.await(g.nodes[0], "verdict", verdict(taint.Drifted))
	if !untainted(n) || !strings.Contains(compliant(n).Message, "yet to be seen by this version") {
		t.Errorf("a new version taints at once: %s", describe(n))
	}
	accepted := func(version string, want bool) {
		t.Helper()
		var s v1alpha1.ClusterReportStatus
		g.until("rule set of "+version, func() bool {
			s = g.clusterReport()
			return slices.ContainsFunc(s.RuleSets, func(r v1alpha1.AcceptedRuleSet) bool { return r.AgentVersion == version && r.Accepted == want })
		}, func() string { return conditionsOf(s.RuleSets) })
	}
	accepted("v2", false)
	g.must(c.Stop(t.Context()))
	c = start(t)
	for _, name := range g.nodes[1:] {
		g.report(name, nil, by("v2"))
	}
	g.await(g.nodes[0], "taint", tainted)
	accepted("v2", true)
	g.report(g.nodes[0], nil, by("v2"))
	g.await(g.nodes[0], "no taint", untainted)
	// Back to the old one, which is known: no waiting.
	g.must(c.Stop(t.Context()))
	start(t)
	g.report(g.nodes[0], []string{crontab}, by("v1"))
	g.await(g.nodes[0], "taint", tainted)
}

func conditionsOf(sets []v1alpha1.AcceptedRuleSet) string {
	var list []string
	for _, s := range sets {
		list = append(list, s.AgentVersion+" "+s.RuleSet)
	}
	return strings.Join(list, ", ")
}
