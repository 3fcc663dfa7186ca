package taint

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/taint/key"
	"github.com/hardgate-dev/hardgate/taint/ruling"
)

const (
	noSchedule = key.Drifted + ":NoSchedule"
	noExecute  = key.Drifted + ":NoExecute"
	prefer     = key.Drifted + ":PreferNoSchedule"
	unchecked  = key.Unverified + ":NoSchedule"
)

// since stores a verdict with a node.
func (n *Node) since(v Verdict, ago time.Duration, controls ...control.ID) *Node {
	message := ""
	if len(controls) > 0 {
		message = failingMessage(controls, "")
	}
	n.Compliant = corev1.NodeCondition{
		Type: ConditionCompliant, Status: v.condition(), Reason: string(v), Message: message, LastTransitionTime: metav1.NewTime(start.Add(-ago)),
	}
	return n
}

func (n *Node) carrying(taints ...corev1.Taint) *Node { n.Taints = taints; return n }

// TestOneNode decides on node-00 beside others that pass.
func TestOneNode(t *testing.T) {
	exempt := func(ends time.Time) func(*Fleet) {
		return func(f *Fleet) {
			list, errs := ruling.CompileExemptions([]v1alpha1.Exemption{{
				Spec: v1alpha1.ExemptionSpec{
					Controls: []string{string(crontab)}, Nodes: &v1alpha1.ExemptNodes{Names: []string{"node-00"}},
					Reason: "r", Owner: "o", Expires: metav1.NewTime(ends),
				},
			}})
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			f.Exemptions = list
		}
	}
	slow := strings.NewReplacer("gracePeriod: 0s", "gracePeriod: 5m", "clearAfter: 0s", "clearAfter: 2m", "minimumDwell: 0s", "minimumDwell: 10m").Replace(enforcing)
	tests := map[string]struct {
		policy  string // enforcing unless given
		node    *Node
		fleet   func(*Fleet)
		taints  []string
		verdict Verdict
		held    Hold
	}{
		"passes":              {node: node("node-00"), verdict: Compliant},
		"fails":               {node: node("node-00").fails(crontab), verdict: Drifted, taints: []string{noSchedule}},
		"fails in warn":       {policy: `{controls: [{id: perm-crontab, mode: Warn}], gracePeriod: 0s}`, node: node("node-00").fails(crontab), verdict: Warned, taints: []string{prefer}},
		"fails in audit":      {policy: `{mode: Audit}`, node: node("node-00").fails(crontab), verdict: NotEnforced},
		"fails what is off":   {policy: `{mode: Enforce, controls: [{id: perm-crontab, mode: "Off"}], gracePeriod: 0s}`, node: full(node("node-00")).fails(crontab), verdict: Compliant},
		"evicts only if told": {policy: strings.Replace(enforcing, "{", "{effect: NoExecute, ", 1), node: node("node-00").fails(crontab), verdict: Drifted, taints: []string{noExecute}},

		"unknown":         {node: node("node-00").says(crontab, control.Unknown), verdict: Unverified},
		"not in a report": {node: node("node-00").says(crontab, ""), verdict: Unverified},
		"manual":          {node: node("node-00").says(crontab, control.ByHand), verdict: Compliant},
		"exempt by flag":  {node: node("node-00").says(crontab, control.Exempt), verdict: Compliant},
		"not applicable":  {node: node("node-00").says(crontab, control.NotApplicable), verdict: Compliant},
		"no report":       {node: silentSince(node("node-00"), 0), verdict: Unverified},

		"exempt":                     {node: node("node-00").fails(crontab), fleet: exempt(start.Add(time.Second)), verdict: Compliant},
		"exempt no more":             {node: node("node-00").fails(crontab), fleet: exempt(start), verdict: Drifted, taints: []string{noSchedule}},
		"exempt for another control": {node: node("node-00").fails(grace), fleet: exempt(start.Add(time.Hour)), verdict: Drifted, taints: []string{noSchedule}},

		"cannot be told any more": {node: node("node-00").says(crontab, control.Unknown).since(Drifted, time.Minute, crontab).carrying(drifted(corev1.TaintEffectNoSchedule, time.Minute)), verdict: Drifted, taints: []string{noSchedule}},
		"another control cannot be told": {
			node:    node("node-00").says(crontab, control.Unknown).since(Drifted, time.Minute, grace).carrying(drifted(corev1.TaintEffectNoSchedule, time.Minute)),
			verdict: Unverified,
		},
		"its verdict is removed":    {node: silentSince(node("node-00"), 0).since(Drifted, time.Minute, crontab).carrying(drifted(corev1.TaintEffectNoSchedule, time.Minute)), verdict: Drifted, taints: []string{noSchedule}},
		"a pass that is removed":    {node: silentSince(node("node-00"), 0).since(Compliant, time.Minute), verdict: Compliant},
		"silent, but fails":         {node: heard(node("node-00").fails(crontab), 24*time.Hour), verdict: Drifted, taints: []string{noSchedule}},
		"silent, where that counts": {policy: strings.Replace(enforcing, "{", "{stale: Enforce, staleAfter: 1h, ", 1), node: heard(node("node-00"), time.Hour), verdict: Drifted, taints: []string{noSchedule}},
		"silent, and asked for other rules since": {
			policy: strings.Replace(enforcing, "{", "{stale: Enforce, staleAfter: 1h, ", 1), node: heard(notCurrent(node("node-00")), time.Hour), verdict: Drifted, taints: []string{noSchedule},
		},
		"silent, by rules that nobody knows": {
			policy: strings.Replace(enforcing, "{", "{stale: Enforce, staleAfter: 1h, ", 1), node: heard(byRules(node("node-00"), "v2"), time.Hour), verdict: Drifted, taints: []string{noSchedule},
		},
		"not silent for so long": {policy: strings.Replace(enforcing, "{", "{stale: Enforce, staleAfter: 1h, ", 1), node: heard(node("node-00"), time.Hour-time.Second), verdict: Compliant},
		"silent, where it is warned of": {
			policy: strings.Replace(enforcing, "{", "{stale: Warn, staleAfter: 1h, ", 1), node: heard(node("node-00"), 2*time.Hour), verdict: Warned, taints: []string{prefer},
		},

		"fails for a short time":   {policy: slow, node: node("node-00").fails(crontab).since(Drifted, 4*time.Minute+59*time.Second, crontab), verdict: Drifted, held: HoldGrace},
		"fails for a long time":    {policy: slow, node: node("node-00").fails(crontab).since(Drifted, 5*time.Minute, crontab), verdict: Drifted, taints: []string{noSchedule}},
		"begins to fail":           {policy: slow, node: node("node-00").fails(crontab).since(Warned, time.Hour, x11), verdict: Drifted, held: HoldGrace},
		"failed, it says, in time": {policy: slow, node: node("node-00").fails(crontab).since(Drifted, -time.Hour, crontab), verdict: Drifted, held: HoldGrace},
		"passes for a short time": {
			policy: slow, node: node("node-00").since(Compliant, time.Minute).carrying(drifted(corev1.TaintEffectNoSchedule, time.Hour)), verdict: Compliant,
			held: HoldClearing, taints: []string{noSchedule},
		},
		"passes for long enough": {policy: slow, node: node("node-00").since(Compliant, 2*time.Minute).carrying(drifted(corev1.TaintEffectNoSchedule, time.Hour)), verdict: Compliant},
		"tainted for a short time": {
			policy: slow, node: node("node-00").since(Compliant, 2*time.Minute).carrying(drifted(corev1.TaintEffectNoSchedule, 9*time.Minute)), verdict: Compliant,
			held: HoldDwelling, taints: []string{noSchedule},
		},
		"tainted, it says, in time": {policy: slow, node: node("node-00").since(Compliant, 2*time.Minute).carrying(drifted(corev1.TaintEffectNoSchedule, -time.Hour)), verdict: Compliant},
		"tainted without a time":    {policy: slow, node: node("node-00").since(Compliant, 2*time.Minute).carrying(corev1.Taint{Key: key.Drifted, Effect: corev1.TaintEffectNoSchedule}), verdict: Compliant},
		"warned is mended": {
			policy: `{controls: [{id: perm-crontab, mode: Warn}], clearAfter: 0s, minimumDwell: 0s}`, node: node("node-00").since(Warned, time.Minute, crontab).carrying(drifted(corev1.TaintEffectPreferNoSchedule, time.Minute)),
			verdict: Compliant,
		},
		"no longer enforced but warned of": {
			policy: `{controls: [{id: perm-crontab, mode: Warn}], clearAfter: 0s, minimumDwell: 0s}`, node: node("node-00").fails(crontab).since(Drifted, time.Minute, crontab).carrying(drifted(corev1.TaintEffectNoSchedule, time.Minute)),
			verdict: Warned, taints: []string{prefer},
		},
		"no longer enforced": {policy: `{mode: Audit}`, node: node("node-00").fails(crontab).since(Drifted, time.Second, crontab).carrying(drifted(corev1.TaintEffectNoExecute, 0)), verdict: NotEnforced},
		"a weaker effect":    {policy: slow, node: node("node-00").fails(crontab).since(Drifted, time.Hour, crontab).carrying(drifted(corev1.TaintEffectNoExecute, 0)), verdict: Drifted, taints: []string{noSchedule}},
		"a taint of another key of ours": {
			node:    node("node-00").fails(crontab).carrying(corev1.Taint{Key: "example.com/hardgate-drifted", Effect: corev1.TaintEffectNoSchedule}),
			verdict: Drifted, taints: []string{noSchedule},
		},

		"by a report on other rules": {node: notCurrent(node("node-00").fails(crontab)), verdict: Drifted, held: HoldBaseline},
		"mended, by a report on other rules": {
			node:    notCurrent(node("node-00")).since(Drifted, time.Hour, crontab).carrying(drifted(corev1.TaintEffectNoSchedule, time.Hour)),
			verdict: Drifted, taints: []string{noSchedule},
		},
		"by rules that nobody knows":      {node: byRules(node("node-00").fails(crontab), "v2"), verdict: Drifted, held: HoldBaseline},
		"tainted, then by unknown rules":  {node: byRules(node("node-00").fails(crontab), "v2").carrying(drifted(corev1.TaintEffectNoSchedule, time.Minute)), verdict: Drifted, taints: []string{noSchedule}},
		"mended, by rules nobody knows":   {node: byRules(node("node-00"), "v2").carrying(drifted(corev1.TaintEffectNoSchedule, time.Minute)), verdict: Compliant},
		"of the control plane":            {node: ofControlPlane(node("node-00").fails(crontab)), verdict: Drifted, held: HoldControlPlane},
		"of the control plane, asked for": {policy: strings.Replace(enforcing, "{", "{controlPlane: true, ", 1), node: ofControlPlane(node("node-00").fails(crontab)), verdict: Drifted, taints: []string{noSchedule}},

		"of the control plane, asked for no more": {
			node:    ofControlPlane(node("node-00").fails(crontab)).since(Drifted, time.Hour, crontab).carrying(drifted(corev1.TaintEffectNoSchedule, time.Second)),
			verdict: Drifted, held: HoldControlPlane,
		},

		"paused":                {node: paused(node("node-00").fails(crontab)), verdict: Drifted, held: HoldPaused},
		"paused while tainted":  {node: paused(node("node-00").carrying(drifted(corev1.TaintEffectNoSchedule, time.Hour))), verdict: Compliant, held: HoldPaused, taints: []string{noSchedule}},
		"everything is paused":  {node: node("node-00").fails(crontab), fleet: func(f *Fleet) { f.Paused = "upgrade" }, verdict: Drifted, held: HoldPaused},
		"a policy is broken":    {node: node("node-00").fails(crontab), fleet: func(f *Fleet) { f.Misunderstood = []error{errBroken} }, verdict: Drifted, held: HoldMisunderstood},
		"mended while broken":   {node: node("node-00").carrying(drifted(corev1.TaintEffectNoSchedule, time.Hour)), fleet: func(f *Fleet) { f.Misunderstood = []error{errBroken} }, verdict: Compliant, held: HoldMisunderstood, taints: []string{noSchedule}},
		"others' taints matter": {node: node("node-00").fails(crontab).carrying(corev1.Taint{Key: "example.com/x", Effect: corev1.TaintEffectNoExecute}), verdict: Drifted, taints: []string{noSchedule}},

		"last of its pool":               {node: ofPool(node("node-00").fails(crontab), "alone"), verdict: Drifted, held: HoldLast},
		"last of its pool, and cordoned": {node: cordoned(ofPool(node("node-00").fails(crontab), "alone")), verdict: Drifted, held: HoldPool},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.policy == "" {
				tt.policy = enforcing
			}
			f := fleet(t, tt.policy, append(nodes(10)[1:], tt.node)...)
			for _, n := range f.Nodes {
				full(n)
			}
			if tt.fleet != nil {
				tt.fleet(&f)
			}
			d := decision(t, Plan(f, settings, start), "node-00")
			if d.Verdict != tt.verdict || d.Held != tt.held {
				t.Errorf("verdict %s, held %q, want %s, %q: %+v", d.Verdict, d.Held, tt.verdict, tt.held, d)
			}
			if diff := cmp.Diff(tt.taints, effects(d)); diff != "" {
				t.Errorf("taints (-want +got):\n%s", diff)
			}
			if d.Held != "" && d.HeldDetail == "" {
				t.Errorf("%s is not said in words", d.Held)
			}
		})
	}
}

// full lets a node pass all controls that its report does not mention.
func full(n *Node) *Node {
	if n.Report == nil {
		return n
	}
	for _, c := range control.All() {
		if _, ok := n.Report.Results[c.ID]; !ok && c.Face == control.Node {
			n.Report.Results[c.ID] = control.Pass
		}
	}
	return n
}

func heard(n *Node, ago time.Duration) *Node { n.Heard = start.Add(-ago); return n }
func silentSince(n *Node, ago time.Duration) *Node {
	n.Report = nil
	return heard(n, ago)
}
func notCurrent(n *Node) *Node              { n.Report.Current = false; return n }
func byRules(n *Node, version string) *Node { n.Report.RuleSet.AgentVersion = version; return n }
func ofControlPlane(n *Node) *Node          { n.ControlPlane = true; return n }
func paused(n *Node) *Node                  { n.Paused = true; return n }
func cordoned(n *Node) *Node                { n.Cordoned = true; return n }
func ofPool(n *Node, pool string) *Node     { n.Pool = pool; return n }

type brokenError struct{}

func (brokenError) Error() string { return "broken" }

var errBroken = brokenError{}

const untrusting = `{untrustedUntilChecked: true, gracePeriod: 0s, clearAfter: 0s, minimumDwell: 0s, budget: {cluster: 100%, pool: 100%, correlation: 100%},
	controls: [{id: perm-crontab, mode: Enforce}, {id: ssh-x11, mode: Warn}]}`

func TestUnverified(t *testing.T) {
	fresh := func(n *Node) *Node { n.Created = start.Add(-time.Minute); return n }
	tests := map[string]struct {
		policy string
		node   *Node
		taints []string
		held   Hold
	}{
		"no report":                    {node: silentSince(node("node-00"), 0).carrying(unverifiedTaint), taints: []string{unchecked}},
		"a passing report":             {node: node("node-00").carrying(unverifiedTaint)},
		"a report that fails":          {node: node("node-00").fails(crontab).carrying(unverifiedTaint), taints: []string{unchecked}},
		"a report that cannot tell":    {node: node("node-00").says(crontab, control.Unknown).carrying(unverifiedTaint), taints: []string{unchecked}},
		"a report that fails in warn":  {node: node("node-00").fails(x11).carrying(unverifiedTaint), taints: []string{prefer}},
		"a report on other rules":      {node: notCurrent(node("node-00")).carrying(unverifiedTaint), taints: []string{unchecked}},
		"a report by a new agent":      {node: byRules(node("node-00"), "v2").carrying(unverifiedTaint)},
		"it is asked for no more":      {policy: enforcing, node: silentSince(node("node-00"), 0).carrying(unverifiedTaint)},
		"no policy at all":             {policy: `{mode: Audit}`, node: silentSince(node("node-00"), 0).carrying(unverifiedTaint)},
		"paused":                       {node: paused(node("node-00")).carrying(unverifiedTaint), taints: []string{unchecked}, held: HoldPaused},
		"another key of ours":          {node: silentSince(node("node-00"), 0).carrying(corev1.Taint{Key: "startup-taint.cluster-autoscaler.kubernetes.io/hardgate-unverified", Effect: corev1.TaintEffectNoSchedule}), taints: []string{"startup-taint.cluster-autoscaler.kubernetes.io/hardgate-unverified:NoSchedule"}},
		"missed at registration":       {node: fresh(silentSince(node("node-00"), 0)), taints: []string{unchecked}},
		"missed, and warned of before": {node: fresh(silentSince(node("node-00"), 0)).since(Warned, time.Minute, grace).carrying(drifted(corev1.TaintEffectPreferNoSchedule, time.Minute)), taints: []string{unchecked}},
		"missed, of the control plane": {node: ofControlPlane(fresh(silentSince(node("node-00"), 0))), held: HoldControlPlane},
		// An installer may set the label when the node has registered.
		"found to be control plane":     {node: ofControlPlane(node("node-00").fails(crontab)).carrying(unverifiedTaint), held: HoldControlPlane},
		"not new":                       {node: silentSince(node("node-00"), 0)},
		"new, but judged before":        {node: fresh(silentSince(node("node-00"), 0)).since(Compliant, time.Second)},
		"new, and nobody asks for it":   {policy: enforcing, node: fresh(silentSince(node("node-00"), 0))},
		"new, and the report was first": {node: fresh(node("node-00"))},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.policy == "" {
				tt.policy = untrusting
			}
			f := fleet(t, tt.policy, append(nodes(10)[1:], tt.node)...)
			d := decision(t, Plan(f, settings, start), "node-00")
			if diff := cmp.Diff(tt.taints, effects(d)); diff != "" || d.Held != tt.held {
				t.Errorf("held %q; taints (-want +got):\n%s", d.Held, diff)
			}
		})
	}
}

// Nodes that the webhook missed are tainted within the budget, and use it up.
func TestMissedNodesUseTheBudget(t *testing.T) {
	policy := strings.Replace(untrusting, "cluster: 100%", "cluster: 3", 1)
	f := fleet(t, policy, nodes(10)...)
	for _, n := range f.Nodes[:6] {
		n.Created, n.Report = start.Add(-time.Minute), nil
	}
	for range 3 {
		out := Plan(f, settings, start)
		carryOut(&f, out)
	}
	count := 0
	for _, n := range f.Nodes {
		count += len(n.Taints)
	}
	if count != 3 {
		t.Errorf("%d are tainted, want 3", count)
	}
	if c := Plan(f, settings, start).Counts; c.Used != 3 || c.Tainted != 0 || c.Untrusted != 3 {
		t.Errorf("%+v", c)
	}
}

// A place in the budget is kept when another taint takes the place of the first.
func TestPlaceIsKept(t *testing.T) {
	at := metav1.NewTime(start.Add(-time.Minute))
	f := fleet(t, strings.Replace(enforcing, "cluster: 100%", "cluster: 1", 1), nodes(10)...)
	f.Nodes[0].fails(crontab).carrying(corev1.Taint{Key: key.Unverified, Effect: corev1.TaintEffectNoSchedule, TimeAdded: &at})
	if d := decision(t, Plan(f, settings, start), "node-00"); !slices.Equal(effects(d), []string{noSchedule}) {
		t.Errorf("%+v", d)
	}
}

// A drifted node that also fails what is warned of is warned of when it cannot tell any
// more, and does not fail the rest.
func TestWarningsAreRemembered(t *testing.T) {
	f := fleet(t, `{gracePeriod: 0s, controls: [{id: perm-crontab, mode: Enforce}, {id: ssh-x11, mode: Warn}]}`, nodes(10)...)
	f.Nodes[0].fails(crontab, x11)
	carryOut(&f, Plan(f, settings, start))
	f.Nodes[0].says(crontab, control.Pass).says(x11, control.Unknown)
	if d := decision(t, Plan(f, settings, start), "node-00"); d.Verdict != Warned || !slices.Equal(d.Controls, []control.ID{x11}) {
		t.Errorf("%+v", d)
	}
}

// The budget goes to those that have failed for longest, and stays with those that
// have it.
func TestWhoComesFirst(t *testing.T) {
	policy := strings.Replace(enforcing, "cluster: 100%", "cluster: 2", 1)
	f := fleet(t, policy, nodes(10)...)
	for i, n := range f.Nodes[:5] {
		n.fails(crontab).since(Drifted, time.Duration(i)*time.Minute, crontab)
	}
	out := Plan(f, settings, start)
	carryOut(&f, out)
	tainted := func() (list []string) {
		for _, n := range f.Nodes {
			if len(n.Taints) > 0 {
				list = append(list, n.Name)
			}
		}
		return list
	}
	if diff := cmp.Diff([]string{"node-03", "node-04"}, tainted()); diff != "" {
		t.Fatal(diff)
	}
	if c := out.Counts; c.Drifted != 5 || c.Tainted != 2 || c.Held != 3 || c.Holds[HoldCluster] != 3 || c.Limit != 2 || c.Used != 2 || c.Schedulable != 10 || c.Compliant != 5 {
		t.Errorf("%+v", c)
	}
	f.Nodes[0].since(Drifted, time.Hour, crontab)
	carryOut(&f, Plan(f, settings, start))
	if diff := cmp.Diff([]string{"node-03", "node-04"}, tainted()); diff != "" {
		t.Fatal(diff)
	}
	// The budget is less now, and used up: who is mended is released all the same.
	f.Policies = book(t, map[string]string{"policy": strings.Replace(enforcing, "cluster: 100%", "cluster: 0", 1)})
	f.Nodes[3].says(crontab, control.Pass)
	carryOut(&f, Plan(f, settings, start))
	if diff := cmp.Diff([]string{"node-04"}, tainted()); diff != "" {
		t.Fatal(diff)
	}
}

func TestCorrelationStop(t *testing.T) {
	policy := strings.Replace(enforcing, "correlation: 100%", "correlation: 20%", 1)
	plan := func(n, failing int) Outcome {
		f := fleet(t, policy, nodes(n)...)
		for _, n := range f.Nodes[:failing] {
			n.fails(crontab)
		}
		if failing < n {
			f.Nodes[n-1].fails(grace)
		}
		return Plan(f, settings, start)
	}
	tests := map[string]struct {
		nodes, failing int
		stop           bool
	}{
		"a fifth":                {10, 2, false},
		"more than a fifth":      {10, 3, true},
		"all":                    {10, 10, true},
		"one of three":           {3, 1, false}, // it and another by another control: a third each
		"two of three":           {3, 2, true},
		"one":                    {1, 1, false},
		"two":                    {2, 2, true},
		"just below, of many":    {50, 10, false},
		"just above, of many":    {50, 11, true},
		"nobody":                 {10, 0, false},
		"one of another control": {10, 1, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			out := plan(tt.nodes, tt.failing)
			var want []Stop
			if tt.stop {
				want = []Stop{{Control: crontab, Failing: tt.failing, Nodes: tt.nodes}}
			}
			if diff := cmp.Diff(want, out.Stops); diff != "" {
				t.Errorf("stops (-want +got):\n%s", diff)
			}
			added := 0
			for _, d := range out.Decisions {
				added += len(d.Added)
				if tt.stop && d.Verdict == Drifted && d.Held != HoldCorrelation {
					t.Errorf("%s is held by %q", d.Node, d.Held)
				}
			}
			// Never the last one, so that of one node none is.
			want1 := min(tt.failing+1, tt.nodes-1)
			if tt.stop {
				want1 = 0
			}
			if added != want1 {
				t.Errorf("%d are tainted, want %d", added, want1)
			}
		})
	}
}

// What is only warned of stops nobody: that many fail is what a rollout finds out.
func TestWarningsDoNotStop(t *testing.T) {
	f := fleet(t, `{gracePeriod: 0s, controls: [{id: perm-crontab, mode: Warn}, {id: ssh-login-grace-time, mode: Enforce}]}`, nodes(10)...)
	for _, n := range f.Nodes {
		n.fails(crontab)
	}
	f.Nodes[4].fails(grace)
	out := Plan(f, settings, start)
	if d := decision(t, out, "node-04"); len(out.Stops) > 0 || !slices.Contains(effects(d), noSchedule) {
		t.Errorf("stops %+v, decision %+v", out.Stops, d)
	}
}

// A few nodes of a small pool, for which alone a control is enforced, stop nobody else.
func TestASmallPoolDoesNotStopTheCluster(t *testing.T) {
	f := fleet(t, "", nodes(20)...)
	f.Policies = book(t, map[string]string{
		"all":  `{gracePeriod: 0s, controls: [{id: ssh-login-grace-time, mode: Enforce}]}`,
		"some": `{nodeSelector: {matchLabels: {pool: small}}, controls: [{id: perm-crontab, mode: Enforce}]}`,
	})
	for _, n := range f.Nodes[:3] {
		n.Labels, n.Pool = labels.Set{"pool": "small"}, "small"
		n.fails(crontab)
	}
	f.Nodes[9].fails(grace)
	out := Plan(f, settings, start)
	if d := decision(t, out, "node-09"); len(out.Stops) > 0 || !slices.Equal(effects(d), []string{noSchedule}) {
		t.Errorf("stops %+v, decision %+v", out.Stops, d)
	}
}

// A new version taints nobody until all have been seen by it; one node that cannot
// follow holds it up for an hour, and not for longer.
func TestBaseline(t *testing.T) {
	f := fleet(t, enforcing, nodes(4)...)
	f.Nodes[0].fails(crontab)
	step := func(after time.Duration, upgraded int) []string {
		for i, n := range f.Nodes[:upgraded] {
			f.Nodes[i] = byRules(n, "v2")
		}
		now := start.Add(after)
		for _, n := range f.Nodes {
			n.Heard = now
		}
		out := Plan(f, settings, now)
		carryOut(&f, out)
		return effects(decision(t, out, "node-00"))
	}
	for i, s := range []struct {
		after    time.Duration
		upgraded int
		want     []string
	}{
		{0, 1, nil},
		{time.Minute, 3, nil},
		{time.Hour - time.Second, 3, nil},
		{time.Hour, 3, []string{noSchedule}},
	} {
		if diff := cmp.Diff(s.want, step(s.after, s.upgraded)); diff != "" {
			t.Fatalf("step %d (-want +got):\n%s", i, diff)
		}
	}
	f = fleet(t, enforcing, nodes(4)...)
	f.Nodes[0].fails(crontab)
	if step(0, 3) != nil {
		t.Error("tainted before all were seen")
	}
	if diff := cmp.Diff([]string{noSchedule}, step(time.Minute, 4)); diff != "" {
		t.Error(diff)
	}
	// What was seen once is known when the fleet goes back to it.
	f.Nodes[1] = byRules(f.Nodes[1], "v1").fails(crontab)
	if d := decision(t, Plan(f, settings, start.Add(2*time.Minute)), "node-01"); len(d.Added) != 1 {
		t.Errorf("%+v", d)
	}
}

// Nodes whose agents have yet to report belong to the fleet, those without a policy do
// not.
func TestBaselineOfNewFleet(t *testing.T) {
	f := fleet(t, strings.Replace(enforcing, "{", "{nodeSelector: {matchLabels: {a: b}}, ", 1), nodes(4)...)
	f.Baseline = nil
	for _, n := range f.Nodes[:3] {
		n.Labels = labels.Set{"a": "b"}
	}
	f.Nodes[0].fails(crontab)
	f.Nodes[2].Report = nil
	out := Plan(f, settings, start)
	if len(out.Baseline) != 1 || out.Baseline[0].Accepted || len(decision(t, out, "node-00").Added) > 0 {
		t.Errorf("%+v", out)
	}
	f.Nodes[2].Report = report(nil)
	out = Plan(f, settings, start)
	if !out.Baseline[0].Accepted || len(decision(t, out, "node-00").Added) != 1 {
		t.Errorf("%+v", out)
	}
}

// A node that claims ever new versions drives nobody's out.
func TestBaselineIsBounded(t *testing.T) {
	f := fleet(t, enforcing, nodes(3)...)
	for i := range 3 * maxBaseline {
		f.Nodes[0] = byRules(f.Nodes[0], "v"+strings.Repeat("1", i+2))
		carryOut(&f, Plan(f, settings, start.Add(time.Duration(i)*2*time.Hour)))
	}
	if len(f.Baseline) > maxBaseline || !slices.ContainsFunc(f.Baseline, func(r RuleSet) bool { return r.RuleSetID == rulesNow && r.Accepted }) {
		t.Errorf("%d rule sets are known: %+v", len(f.Baseline), f.Baseline[0])
	}
}

// A controller that starts has not heard anybody yet.
func TestStaleAfterAStart(t *testing.T) {
	n := heard(node("node-00"), 16*time.Minute)
	f := fleet(t, enforcing, append(nodes(3)[1:], n)...)
	just := settings
	just.Started = start.Add(-time.Minute)
	if d := decision(t, Plan(f, just, start), "node-00"); len(d.Conditions) != 1 {
		t.Errorf("%+v", d.Conditions)
	}
	out := Plan(f, settings, start)
	d := decision(t, out, "node-00")
	if len(d.Conditions) != 2 || d.Conditions[1].Status != corev1.ConditionTrue || out.Counts.Stale != 1 {
		t.Fatalf("%+v", d.Conditions)
	}
	carryOut(&f, out)
	// It was noticed before the start, so that it stands; and when the agent is heard
	// of, it goes.
	if d := decision(t, Plan(f, just, start), "node-00"); len(d.Conditions) != 2 || Differ(d.Conditions, out.Decisions[0].Conditions) {
		t.Errorf("%+v", d.Conditions)
	}
	heard(f.Nodes[len(f.Nodes)-1], 0)
	if d := decision(t, Plan(f, just, start), "node-00"); len(d.Conditions) != 2 || d.Conditions[1].Status != corev1.ConditionFalse {
		t.Errorf("%+v", d.Conditions)
	}
}

// Virtual nodes and those of other systems have no agent. Where nothing is asked of them,
// they are not silent: an alert on it would never end.
func TestStaleCountsAgents(t *testing.T) {
	never := func(name string) *Node {
		n := heard(node(name), 0)
		n.Report, n.Heard, n.Created = nil, time.Time{}, start.Add(-24*time.Hour)
		return n
	}
	ended := heard(node("node-02"), time.Hour)
	for name, c := range map[string]struct {
		nodes  []*Node
		policy string
		want   int
	}{
		"no agent and no policy": {[]*Node{never("node-01")}, `{mode: Audit}`, 0},
		"an agent that has gone": {[]*Node{never("node-01"), ended}, `{mode: Audit}`, 1},
		"a policy that enforces": {[]*Node{never("node-01"), ended}, enforcing, 2},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Plan(fleet(t, c.policy, c.nodes...), settings, start).Counts.Stale; got != c.want {
				t.Errorf("%d are stale, want %d", got, c.want)
			}
		})
	}
}

func TestEmptyFleet(t *testing.T) {
	out := Plan(Fleet{}, settings, start)
	if len(out.Decisions) > 0 || !out.Again.IsZero() {
		t.Errorf("%+v", out)
	}
	if out = Plan(Fleet{Nodes: nodes(2)}, settings, start); len(out.Decisions) != 2 || !out.Decisions[0].Leave || out.Decisions[0].Conditions != nil {
		t.Errorf("%+v", out)
	}
}

// Agents that were never installed, or reports that are lost, are seen at once on all
// nodes: they are at fault as a rule is.
func TestCorrelationWithoutReports(t *testing.T) {
	policy := strings.Replace(strings.Replace(enforcing, "correlation: 100%", "correlation: 20%", 1), "{", "{stale: Enforce, ", 1)
	for name, tt := range map[string]struct {
		node func(*Node)
		id   control.ID
	}{
		"never heard of": {func(n *Node) { n.Report, n.Heard, n.Created = nil, time.Time{}, start.Add(-2*time.Hour) }, StaleReport},
		"lost":           {func(n *Node) { n.since(Drifted, time.Hour, crontab).Report = nil }, crontab},
	} {
		t.Run(name, func(t *testing.T) {
			f := fleet(t, policy, nodes(10)...)
			for _, n := range f.Nodes {
				tt.node(n)
			}
			out := Plan(f, settings, start)
			if diff := cmp.Diff([]Stop{{Control: tt.id, Failing: 10, Nodes: 10}}, out.Stops); diff != "" {
				t.Errorf("stops (-want +got):\n%s", diff)
			}
			if d := out.Decisions[0]; len(d.Added) > 0 || d.Held != HoldCorrelation {
				t.Errorf("%+v", d)
			}
		})
	}
}

// A version is accepted by nodes that are asked for the same, for those alone: which
// policies select a node can depend on labels that it sets itself.
func TestBaselineIsOfThoseAskedForTheSame(t *testing.T) {
	tests := map[string]struct {
		asked, upgraded []int // the nodes asked for something else, and those with v2
		want            Hold  // of node-00, which has it and fails
	}{
		"one who is asked for something else accepts for no others": {asked: []int{5}, upgraded: []int{5, 0}, want: HoldBaseline},
		"one who is asked for something else blocks no others":      {asked: []int{0, 1, 2}, upgraded: []int{5, 0, 1, 2}},
		"all that are asked for the same":                           {asked: []int{8}, upgraded: []int{0, 1, 2, 3, 4, 5, 6, 7, 9}},
		"not all that are asked for the same":                       {asked: []int{0, 1, 2}, upgraded: []int{0, 1}, want: HoldBaseline},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := fleet(t, "", nodes(10)...)
			f.Policies = book(t, map[string]string{
				"all":  enforcing,
				"some": `{nodeSelector: {matchLabels: {a: b}}, controls: [{id: mod-unnecessary, parameters: {unnecessaryModules: [tipc]}}]}`,
			})
			f.Nodes[0].fails(crontab)
			for _, i := range tt.asked {
				f.Nodes[i].Labels = labels.Set{"a": "b"}
			}
			for _, i := range tt.upgraded {
				// Those before are seen first, and what was accepted by them is stored.
				f.Nodes[i] = byRules(f.Nodes[i], "v2")
				out := Plan(f, settings, start)
				f.Baseline = out.Baseline
			}
			if d := decision(t, Plan(f, settings, start), "node-00"); d.Held != tt.want || len(d.Added) > 0 == (tt.want != "") {
				t.Errorf("held %q, want %q: %+v", d.Held, tt.want, d)
			}
		})
	}
}

// A pass of which nothing is left is no pass: the verdict stands, so that nothing follows
// from it, and the condition does not say that it is so.
func TestPassWithoutReport(t *testing.T) {
	n := silentSince(node("node-00"), 0).since(Compliant, time.Minute)
	f := fleet(t, enforcing, append(nodes(3)[1:], n)...)
	d := decision(t, Plan(f, settings, start), "node-00")
	if d.Verdict != Compliant || len(d.Conditions) == 0 || d.Conditions[0].Status != corev1.ConditionUnknown || d.Conditions[0].Reason != string(Compliant) {
		t.Errorf("%+v", d)
	}
	// With the report the time of the verdict is still known.
	f.Nodes[2].Report = report(nil)
	carryOut(&f, Plan(f, settings, start))
	if c := f.Nodes[2].Compliant; c.Status != corev1.ConditionTrue || !c.LastTransitionTime.Equal(&n.Compliant.LastTransitionTime) {
		t.Errorf("%+v", c)
	}
}
