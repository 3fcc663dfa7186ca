package taint

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

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
	cfg   Config
	now   time.Time
	born  int
	// laws are what the policies say, for a count of our own: the first selects all
	// nodes, the second those with a label.
	laws []law
}

type law struct {
	spec                       string
	cluster, pool, correlation int // percent
	controlPlane               bool
}

func (w *world) pick(list ...string) string { return list[w.rand.IntN(len(list))] }

// legislate makes other policies.
func (w *world) legislate() {
	w.laws = nil
	specs := map[string]string{}
	for i := range 2 {
		r := w.rand
		l := law{cluster: r.IntN(60), pool: 1 + r.IntN(100), correlation: 1 + r.IntN(100), controlPlane: r.IntN(2) == 0}
		selector := ""
		if i == 1 {
			selector = "nodeSelector: {matchLabels: {some: node}}, "
		}
		l.spec = fmt.Sprintf(`{%smode: %s, effect: %s, gracePeriod: %s, clearAfter: %s, minimumDwell: %s, stale: %s, staleAfter: 20m,
		untrustedUntilChecked: %t, controlPlane: %t, budget: {cluster: %d%%, pool: %d%%, correlation: %d%%},
		controls: [{id: perm-crontab, mode: Enforce}, {id: ssh-login-grace-time, mode: %s}, {id: ssh-x11, mode: Warn},
			{id: mod-unnecessary, mode: Audit, parameters: {unnecessaryModules: [%s]}}]}`,
			selector, w.pick("Audit", `"Off"`), w.pick("NoSchedule", "NoExecute"), w.pick("0s", "1m"), w.pick("0s", "2m"), w.pick("0s", "3m"), w.pick("Keep", "Warn", "Enforce"),
			r.IntN(2) == 0, l.controlPlane, l.cluster, l.pool, l.correlation, w.pick("Enforce", "Warn", "Audit"), w.pick("", "tipc"))
		w.laws = append(w.laws, l)
		specs[fmt.Sprint("policy-", i)] = l.spec
	}
	w.fleet.Policies = book(w.t, specs)
}

// of are the laws for a node.
func (w *world) of(n *Node) []law {
	if n.Labels["some"] == "node" {
		return w.laws
	}
	return w.laws[:1]
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	w := &world{t: t, rand: rand.New(rand.NewPCG(seed, 1)), cfg: settings, now: start, fleet: fleet(t, "{}")}
	w.legislate()
	for range 1 + w.rand.IntN(30) {
		n := w.bear()
		n.Created, n.Report = start.Add(-time.Hour), report(nil)
	}
	return w
}

// bear adds a node that has just registered.
func (w *world) bear() *Node {
	n := node(fmt.Sprintf("node-%02d", w.born))
	w.born++
	n.Created, n.Heard, n.Report = w.now, time.Time{}, nil
	n.Pool, n.Labels = w.pick("", "a", "b"), labels.Set{"some": w.pick("node", "other")}
	n.ControlPlane = w.rand.IntN(10) == 0
	if w.rand.IntN(4) == 0 {
		n.Taints = []corev1.Taint{unverifiedTaint}
	}
	w.fleet.Nodes = append(w.fleet.Nodes, n)
	return n
}

// exempt lets a control fail for some time that no check counts by itself.
func (w *world) exempt() {
	list, errs := ruling.CompileExemptions([]v1alpha1.Exemption{{Spec: v1alpha1.ExemptionSpec{
		Controls: []string{string(grace)}, Nodes: &v1alpha1.ExemptNodes{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"some": "node"}}},
		Reason: "r", Owner: "o", Expires: metav1.NewTime(w.now.Add(time.Duration(w.rand.IntN(600)) * time.Second)),
	}}})
	if len(errs) > 0 {
		w.t.Fatal(errs)
	}
	w.fleet.Exemptions = list
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
	switch r.IntN(30) {
	case 0:
		w.legislate()
	case 1:
		w.cfg.Started = w.now // another leads
	case 2:
		w.cfg.DriftedKey = w.pick(key.Drifted, "example.com/hardgate-drifted")
	case 3:
		w.exempt()
	}
	if r.IntN(4) == 0 {
		w.bear()
	}
	if len(w.fleet.Nodes) > 1 && r.IntN(8) == 0 {
		i := r.IntN(len(w.fleet.Nodes))
		w.fleet.Nodes = slices.Delete(slices.Clone(w.fleet.Nodes), i, i+1)
	}
	all := r.IntN(15) == 0 // a wrong rule
	for i, old := range w.fleet.Nodes {
		n := *old
		w.fleet.Nodes[i] = &n
		if r.IntN(4) > 0 {
			n.Heard = w.now
		}
		n.Ready, n.Cordoned, n.Paused = r.IntN(12) > 0, r.IntN(12) == 0, r.IntN(20) == 0
		if n.Report == nil && r.IntN(4) == 0 || r.IntN(30) == 0 {
			n.Report = report(nil)
		}
		if n.Report != nil && r.IntN(3) == 0 {
			for _, id := range []control.ID{crontab, grace, x11} {
				statuses := []control.Status{control.Pass, control.Pass, control.Pass, control.Fail, control.Unknown, control.NotApplicable, control.ByHand, control.Exempt, ""}
				n.says(id, statuses[r.IntN(len(statuses))])
			}
		}
		if all && n.Report != nil {
			n.fails(crontab)
		}
		switch r.IntN(40) {
		case 0:
			n.Report = nil
		case 1:
			if n.Report != nil {
				n.Report = report(n.Report.Results)
				n.Report.Current = r.IntN(2) == 0
			}
		case 2:
			if n.Report != nil {
				n.Report = report(n.Report.Results)
				n.Report.RuleSet.AgentVersion = fmt.Sprintf("v%d", r.IntN(3))
			}
		case 3:
			n.Taints = append(slices.Clone(n.Taints), corev1.Taint{Key: "example.com/other", Effect: corev1.TaintEffectNoSchedule})
		case 4:
			n.Taints = slices.DeleteFunc(slices.Clone(n.Taints), func(t corev1.Taint) bool { return !key.Ours(t.Key) })
		case 5:
			n.Labels = labels.Set{"some": w.pick("node", "other")}
		case 6:
			n.ControlPlane = r.IntN(10) == 0
		}
	}
}
