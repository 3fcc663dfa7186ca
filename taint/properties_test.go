package taint

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/taint/key"
	"github.com/hardgate-dev/hardgate/taint/ruling"
)

// hard is whether taints of ours keep pods away, other than from a node that has yet to
// be checked since it registered.
func hard(taints []corev1.Taint) bool {
	return slices.ContainsFunc(taints, func(t corev1.Taint) bool {
		return key.IsDrifted(t.Key) && t.Effect != corev1.TaintEffectPreferNoSchedule || t.Key == key.Unverified && t.TimeAdded != nil
	})
}

// able is whether pods could be put on a node but for our taint.
func able(n *Node) bool {
	return n.Ready && !n.Cordoned && !slices.ContainsFunc(n.Taints, func(t corev1.Taint) bool {
		return t.Key == "example.com/other" || t.Key == key.Unverified && t.TimeAdded == nil
	})
}

// tally counts what a budget is about.
type tally struct {
	able, before, after, free int
	// limits are the lowest of each node that is newly tainted.
	limits []func(able int) int
}

func (w *world) check(out Outcome) {
	w.t.Helper()
	cluster, pools := &tally{}, map[string]*tally{}
	newly := 0
	for _, d := range out.Decisions {
		n := w.fleet.Nodes[slices.IndexFunc(w.fleet.Nodes, func(n *Node) bool { return n.Name == d.Node })]
		if pools[n.Pool] == nil {
			pools[n.Pool] = &tally{}
		}
		fresh := hard(d.Taints) && !hard(n.Taints)
		for _, c := range []*tally{cluster, pools[n.Pool]} {
			if able(n) {
				c.able++
				if !hard(d.Taints) {
					c.free++
				}
			}
			if hard(n.Taints) {
				c.before++
			}
			if hard(d.Taints) {
				c.after++
			}
		}
		if fresh {
			newly++
			laws := w.of(n)
			cluster.limits = append(cluster.limits, lowest(laws, func(l law) int { return l.cluster }))
			pools[n.Pool].limits = append(pools[n.Pool].limits, lowest(laws, func(l law) int { return l.pool }))
		}
		w.checkNode(n, d, fresh)
	}
	cluster.check(w.t, "the cluster")
	for pool, c := range pools {
		c.check(w.t, "pool "+pool)
		if c.after > c.before && c.free == 0 && c.able > 0 {
			w.t.Errorf("no schedulable node is left of pool %q", pool)
		}
	}
	if id, n := w.correlated(); newly > 0 && n > 0 {
		w.t.Errorf("%d tainted while %d nodes fail %s", newly, n, id)
	}
}

func lowest(laws []law, of func(law) int) func(int) int {
	return func(able int) int {
		least := able
		for _, l := range laws {
			least = min(least, share(of(l), able))
		}
		return least
	}
}

// check holds every newly tainted node against its limit: no more than that were
// tainted before, or newly where the limit is no higher.
func (c *tally) check(t *testing.T, of string) {
	t.Helper()
	for _, limit := range c.limits {
		most, n := limit(c.able), c.before
		for _, other := range c.limits {
			if other(c.able) <= most {
				n++
			}
		}
		if n > most {
			t.Errorf("%d of %s tainted where %d may be (%d were)", n, of, most, c.before)
		}
	}
}

// share is a percentage of nodes, one at least.
func share(percent, nodes int) int {
	if percent == 0 || nodes == 0 {
		return 0
	}
	return max(1, nodes*percent/100)
}

// correlated is a control that too many fail for certain: those without a report may
// count or not.
func (w *world) correlated() (control.ID, int) {
	count, percent := 0, 100
	for _, n := range w.fleet.Nodes {
		if n.Report == nil || n.Report.Results[crontab] != control.Fail {
			continue
		}
		count++
		for _, l := range w.of(n) {
			percent = min(percent, l.correlation)
		}
	}
	if count >= 2 && count*100 > len(w.fleet.Nodes)*percent {
		return crontab, count
	}
	return "", 0
}

// checkNode holds what is decided on one node against what is known of it.
func (w *world) checkNode(n *Node, d Decision, fresh bool) {
	w.t.Helper()
	frozen := w.fleet.Paused != "" || n.Paused || len(w.fleet.Misunderstood) > 0
	if frozen && (len(d.Added)+len(d.Removed)+len(d.Conditions) > 0 || !d.Leave) {
		w.t.Errorf("%s is not left alone: %+v", n.Name, d)
	}
	for _, t := range slices.Concat(d.Taints, d.Added, d.Removed) {
		if !key.Ours(t.Key) {
			w.t.Errorf("%s: the taint %s is not ours", n.Name, t.Key)
		}
	}
	allowed := slices.ContainsFunc(w.of(n), func(l law) bool { return l.controlPlane })
	if n.ControlPlane && !allowed && !frozen && len(d.Taints) > 0 {
		w.t.Errorf("%s is of the control plane", n.Name)
	}
	w.checkRelease(n, d)
	if !fresh {
		return
	}
	if n.Report != nil && !n.Report.Current && !slices.Contains(d.Controls, StaleReport) {
		w.t.Errorf("%s is tainted by a report on other rules", n.Name)
	}
	// Something that could be enforced fails, or failed before and cannot be told now, or
	// the agent is silent, or there is no report on a new node.
	wrong := d.Verdict == Unverified && n.Report == nil
	for _, id := range d.Controls {
		var status control.Status
		if n.Report != nil {
			status = n.Report.Results[id]
		}
		wrong = wrong || id == StaleReport || status == control.Fail ||
			n.Compliant.Status == corev1.ConditionFalse && (status == control.Unknown || status == "")
	}
	if !wrong {
		w.t.Errorf("%s is tainted without a failure: %+v", n.Name, d)
	}
}

// checkRelease holds that nobody is found compliant, or no longer drifted, by a report
// that says less than that.
func (w *world) checkRelease(n *Node, d Decision) {
	w.t.Helper()
	passes, current := false, false
	if n.Report != nil {
		passes = slices.Contains([]control.Status{control.Pass, control.NotApplicable, control.ByHand, control.Exempt}, n.Report.Results[crontab])
		current = passes && n.Report.Current
	}
	// What was compliant stays so without a report, and by one on the rules before.
	stays := n.Compliant.Reason == string(Compliant) && (n.Report == nil || passes)
	if d.Verdict == Compliant && !current && !stays {
		w.t.Errorf("%s is compliant by %+v", n.Name, n.Report)
	}
	drifted := n.Compliant.Reason == string(Drifted) && strings.HasPrefix(n.Compliant.Message, "Failing: perm-crontab")
	if drifted && d.Verdict != Drifted && !current {
		w.t.Errorf("%s drifted and is %s by %+v", n.Name, d.Verdict, n.Report)
	}
}

func TestProperties(t *testing.T) {
	for seed := range uint64(400) {
		w := newWorld(t, seed)
		for range 25 {
			w.happen()
			out := Plan(w.fleet, w.cfg, w.now)
			w.check(out)
			w.checkOrder(out)
			before := w.fleet.Nodes
			carryOut(&w.fleet, out)
			w.checkAgain(out)
			if t.Failed() {
				t.Fatalf("seed %d\npolicies %+v\nnodes %s", seed, w.laws, cmp.Diff(before, w.fleet.Nodes))
			}
		}
		w.checkEnd()
	}
}

// checkOrder plans for the same nodes in another order.
func (w *world) checkOrder(out Outcome) {
	w.t.Helper()
	other := w.fleet
	other.Nodes = slices.Clone(w.fleet.Nodes)
	slices.Reverse(other.Nodes)
	if diff := cmp.Diff(out, Plan(other, w.cfg, w.now)); diff != "" {
		w.t.Errorf("the order of nodes matters:\n%s", diff)
	}
}

// checkAgain plans again when all is carried out: nothing is to be done, neither now
// nor at any time before the one at which something may change. Places that were freed
// may be given to others, though.
func (w *world) checkAgain(out Outcome) {
	w.t.Helper()
	freed := slices.ContainsFunc(out.Decisions, func(d Decision) bool { return len(d.Removed) > 0 })
	times := []time.Time{w.now}
	if !out.Again.IsZero() {
		times = append(times, w.now.Add(time.Duration(w.rand.Int64N(int64(out.Again.Sub(w.now))))))
	}
	for _, now := range times {
		for i, d := range Plan(w.fleet, w.cfg, now).Decisions {
			if !freed && d.HeldDetail != out.Decisions[i].HeldDetail {
				w.t.Errorf("%s: %s is held by %q, and was by %q", now.Sub(w.now), d.Node, d.Held, out.Decisions[i].Held)
			}
			n := w.fleet.Nodes[slices.IndexFunc(w.fleet.Nodes, func(n *Node) bool { return n.Name == d.Node })]
			if !freed && len(d.Added)+len(d.Removed) > 0 {
				w.t.Errorf("%s after it was carried out: %+v", now.Sub(w.now), d)
			}
			if !freed && Differ(d.Conditions, []corev1.NodeCondition{n.Compliant, n.Stale}) {
				w.t.Errorf("%s: the conditions %+v are not stored: %+v, %+v", d.Node, d.Conditions, n.Compliant, n.Stale)
			}
		}
	}
}

// checkEnd mends everything: however it began, nothing of ours is left after a while.
func (w *world) checkEnd() {
	w.t.Helper()
	w.fleet.Paused, w.fleet.Misunderstood = "", nil
	for range 4 {
		w.now = w.now.Add(5 * time.Minute)
		for i, old := range w.fleet.Nodes {
			n := *old
			n.Heard, n.Paused, n.Report = w.now, false, report(nil)
			w.fleet.Nodes[i] = &n
		}
		carryOut(&w.fleet, Plan(w.fleet, w.cfg, w.now))
	}
	for _, n := range w.fleet.Nodes {
		if slices.ContainsFunc(n.Taints, func(t corev1.Taint) bool { return key.Ours(t.Key) }) || n.Compliant.Status != corev1.ConditionTrue {
			w.t.Errorf("%s was mended and is %+v with %+v", n.Name, n.Compliant, n.Taints)
		}
	}
}

// A policy that goes leaves nothing behind.
func TestNoPolicy(t *testing.T) {
	w := newWorld(t, 1)
	for range 25 {
		w.happen()
		carryOut(&w.fleet, Plan(w.fleet, w.cfg, w.now))
	}
	w.fleet.Policies, _ = ruling.Compile([]v1alpha1.NodePolicy{})
	w.fleet.Paused, w.fleet.Misunderstood = "", nil
	for _, n := range w.fleet.Nodes {
		n.Paused = false
	}
	for _, d := range Plan(w.fleet, w.cfg, w.now).Decisions {
		if len(d.Taints) > 0 {
			t.Errorf("%+v", d)
		}
	}
}
