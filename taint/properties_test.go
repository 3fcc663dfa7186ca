package taint

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/taint/key"
	"github.com/hardgate-dev/hardgate/taint/ruling"
)

// world is a fleet to which things happen at random.
type world struct {
	t     *testing.T
	rand  *rand.Rand
	fleet Fleet
	now   time.Time
	spec  string
	// The limits of spec, for a count of our own.
	cluster, pool, correlation int // percent
	controlPlane               bool
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	w := &world{t: t, rand: r, now: start, cluster: r.IntN(60), pool: 1 + r.IntN(100), correlation: 1 + r.IntN(100), controlPlane: r.IntN(2) == 0}
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	w.spec = fmt.Sprintf(`{mode: %s, effect: %s, gracePeriod: %s, clearAfter: %s, minimumDwell: %s, stale: %s, staleAfter: 20m,
		untrustedUntilChecked: %t, controlPlane: %t, budget: {cluster: %d%%, pool: %d%%, correlation: %d%%},
		controls: [{id: perm-crontab, mode: Enforce}, {id: ssh-login-grace-time, mode: %s}, {id: ssh-x11, mode: Warn}]}`,
		pick("Audit", `"Off"`), pick("NoSchedule", "NoExecute"), pick("0s", "1m"), pick("0s", "2m"), pick("0s", "3m"), pick("Keep", "Warn", "Enforce"),
		r.IntN(2) == 0, w.controlPlane, w.cluster, w.pool, w.correlation, pick("Enforce", "Warn", "Audit"))
	w.fleet = fleet(t, w.spec)
	for i := range 1 + r.IntN(30) {
		n := node(fmt.Sprintf("node-%02d", i))
		n.Pool = pick("", "a", "b")
		n.ControlPlane = r.IntN(10) == 0
		if r.IntN(4) == 0 {
			n.Taints = []corev1.Taint{unverifiedTaint}
		}
		w.fleet.Nodes = append(w.fleet.Nodes, n)
	}
	return w
}

// happen changes some nodes.
func (w *world) happen() {
	r := w.rand
	w.now = w.now.Add(time.Duration(r.IntN(90)) * time.Second)
	w.fleet.Paused = ""
	if r.IntN(20) == 0 {
		w.fleet.Paused = "maintenance"
	}
	w.fleet.Misunderstood = nil
	if r.IntN(20) == 0 {
		w.fleet.Misunderstood = []error{fmt.Errorf("not understood")}
	}
	all := r.IntN(15) == 0 // a wrong rule
	for i, old := range w.fleet.Nodes {
		n := *old
		w.fleet.Nodes[i] = &n
		if r.IntN(4) > 0 {
			n.Heard = w.now
		}
		n.Ready, n.Cordoned, n.Paused = r.IntN(12) > 0, r.IntN(12) == 0, r.IntN(20) == 0
		if n.Report == nil || r.IntN(30) == 0 {
			n.Report = report(nil)
		}
		if r.IntN(3) == 0 {
			for _, id := range []control.ID{crontab, grace, x11} {
				statuses := []control.Status{control.Pass, control.Pass, control.Pass, control.Fail, control.Unknown, control.NotApplicable, control.ByHand, control.Exempt, ""}
				n.says(id, statuses[r.IntN(len(statuses))])
			}
		}
		if all {
			n.fails(crontab)
		}
		switch r.IntN(40) {
		case 0:
			n.Report = nil
		case 1:
			n.Report.Current = !n.Report.Current
		case 2:
			n.Report.RuleSet.AgentVersion = fmt.Sprintf("v%d", r.IntN(3))
		case 3:
			n.Taints = append(slices.Clone(n.Taints), corev1.Taint{Key: "example.com/other", Effect: corev1.TaintEffectNoSchedule})
		case 4:
			n.Taints = slices.DeleteFunc(slices.Clone(n.Taints), func(t corev1.Taint) bool { return !key.Ours(t.Key) })
		}
	}
}

// hard is whether taints of ours keep pods away, other than from a node that has yet to
// be checked since it registered.
func hard(taints []corev1.Taint) bool {
	return slices.ContainsFunc(taints, func(t corev1.Taint) bool {
		return t.Key == key.Drifted && t.Effect != corev1.TaintEffectPreferNoSchedule || t.Key == key.Unverified && t.TimeAdded != nil
	})
}

// able is whether pods could be put on a node but for our taint.
func able(n *Node) bool {
	return n.Ready && !n.Cordoned && !slices.ContainsFunc(n.Taints, func(t corev1.Taint) bool {
		return t.Key == "example.com/other" || t.Key == key.Unverified && t.TimeAdded == nil
	})
}

// tally counts what a budget is about.
type tally struct{ able, before, after, free int }

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
		}
		w.checkNode(n, d, fresh)
	}
	if limit := share(w.cluster, cluster.able); cluster.after > max(limit, cluster.before) {
		w.t.Errorf("%d tainted where %d may be (%d were)", cluster.after, limit, cluster.before)
	}
	for pool, c := range pools {
		if limit := share(w.pool, c.able); c.after > max(limit, c.before) {
			w.t.Errorf("%d of pool %q tainted where %d may be (%d were)", c.after, pool, limit, c.before)
		}
		if c.after > c.before && c.free == 0 && c.able > 0 {
			w.t.Errorf("no schedulable node is left of pool %q", pool)
		}
	}
	if id, n := w.correlated(); newly > 0 && n > 0 {
		w.t.Errorf("%d tainted while %d nodes fail %s", newly, n, id)
	}
}

// share is a percentage of nodes, one at least.
func share(percent, nodes int) int {
	if percent == 0 || nodes == 0 {
		return 0
	}
	return max(1, nodes*percent/100)
}

// correlated is a control that too many fail for certain.
func (w *world) correlated() (control.ID, int) {
	reported, count := 0, 0
	for _, n := range w.fleet.Nodes {
		if n.Report == nil {
			continue
		}
		reported++
		if n.Report.Results[crontab] == control.Fail {
			count++
		}
	}
	if count >= 2 && count*100 > reported*w.correlation {
		return crontab, count
	}
	return "", 0
}

// checkNode holds what is decided on one node against what is known of it.
func (w *world) checkNode(n *Node, d Decision, fresh bool) {
	w.t.Helper()
	if (w.fleet.Paused != "" || n.Paused || len(w.fleet.Misunderstood) > 0) && (len(d.Added)+len(d.Removed)+len(d.Conditions) > 0 || !d.Leave) {
		w.t.Errorf("%s is not left alone: %+v", n.Name, d)
	}
	for _, t := range slices.Concat(d.Taints, d.Added, d.Removed) {
		if !key.Ours(t.Key) {
			w.t.Errorf("%s: the taint %s is not ours", n.Name, t.Key)
		}
	}
	if !fresh {
		return
	}
	if n.ControlPlane && !w.controlPlane {
		w.t.Errorf("%s is of the control plane", n.Name)
	}
	if n.Report != nil && !n.Report.Current {
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
			n.Compliant.Reason == string(Drifted) && (status == control.Unknown || status == "")
	}
	if !wrong {
		w.t.Errorf("%s is tainted without a failure: %+v", n.Name, d)
	}
}

func TestProperties(t *testing.T) {
	for seed := range uint64(400) {
		w := newWorld(t, seed)
		for range 25 {
			w.happen()
			out := Plan(w.fleet, settings, w.now)
			w.check(out)
			w.checkOrder(out)
			before := w.fleet.Nodes
			carryOut(&w.fleet, out)
			w.checkAgain(out)
			if t.Failed() {
				t.Fatalf("seed %d\npolicy %s\nnodes %s", seed, w.spec, cmp.Diff(before, w.fleet.Nodes))
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
	if diff := cmp.Diff(out, Plan(other, settings, w.now)); diff != "" {
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
		for _, d := range Plan(w.fleet, settings, now).Decisions {
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
		carryOut(&w.fleet, Plan(w.fleet, settings, w.now))
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
		carryOut(&w.fleet, Plan(w.fleet, settings, w.now))
	}
	w.fleet.Policies, _ = ruling.Compile([]v1alpha1.NodePolicy{})
	w.fleet.Paused, w.fleet.Misunderstood = "", nil
	for _, n := range w.fleet.Nodes {
		n.Paused = false
	}
	for _, d := range Plan(w.fleet, settings, w.now).Decisions {
		if len(d.Taints) > 0 {
			t.Errorf("%+v", d)
		}
	}
}
