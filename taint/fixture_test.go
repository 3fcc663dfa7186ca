package taint

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/taint/key"
	"github.com/hardgate-dev/hardgate/taint/ruling"
)

var (
	start    = time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)
	settings = Config{DriftedKey: key.Drifted, UnverifiedKey: key.Unverified, Started: start.Add(-24 * time.Hour)}
	rulesNow = RuleSetID{AgentVersion: "v1", RuleSet: "a"}
)

// The controls of these tests.
const (
	crontab control.ID = "perm-crontab"
	grace   control.ID = "ssh-login-grace-time"
	x11     control.ID = "ssh-x11"
)

// book compiles NodePolicies, each "name: spec" in YAML.
func book(t *testing.T, specs map[string]string) *ruling.Book {
	t.Helper()
	var policies []v1alpha1.NodePolicy
	for name, spec := range specs {
		p := v1alpha1.NodePolicy{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if err := yaml.UnmarshalStrict([]byte(spec), &p.Spec); err != nil {
			t.Fatal(err)
		}
		policies = append(policies, p)
	}
	b, errs := ruling.Compile(policies)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return b
}

// enforcing enforces all controls of these tests at once.
const enforcing = `{gracePeriod: 0s, clearAfter: 0s, minimumDwell: 0s, budget: {cluster: 100%, pool: 100%, correlation: 100%},
	controls: [{id: perm-crontab, mode: Enforce}, {id: ssh-login-grace-time, mode: Enforce}]}`

// node is Ready, passes everything and has just been heard of.
func node(name string) *Node {
	return &Node{
		Name: name, UID: types.UID("uid-" + name), Labels: labels.Set{"kubernetes.io/hostname": name},
		Created: start.Add(-time.Hour), Ready: true, Heard: start, Lease: 15 * time.Minute,
		Report: report(nil),
	}
}

// report passes every control of these tests but those that are given.
func report(other map[control.ID]control.Status) *Report {
	results := map[control.ID]control.Status{crontab: control.Pass, grace: control.Pass, x11: control.Pass}
	maps.Copy(results, other)
	return &Report{RuleSet: rulesNow, Current: true, Results: results}
}

func (n *Node) fails(ids ...control.ID) *Node {
	for _, id := range ids {
		n.says(id, control.Fail)
	}
	return n
}

func (n *Node) says(id control.ID, status control.Status) *Node {
	r := report(n.Report.Results)
	r.RuleSet, r.Current = n.Report.RuleSet, n.Report.Current
	r.Results[id] = status
	n.Report = r
	return n
}

// nodes makes n nodes called a to z.
func nodes(n int) (list []*Node) {
	for i := range n {
		list = append(list, node(fmt.Sprintf("node-%02d", i)))
	}
	return list
}

// fleet has seen every node before.
func fleet(t *testing.T, policy string, nodes ...*Node) Fleet {
	t.Helper()
	return Fleet{
		Nodes: nodes, Policies: book(t, map[string]string{"policy": policy}),
		Baseline: []RuleSet{{RuleSetID: rulesNow, FirstSeen: start.Add(-time.Hour), Accepted: true}},
	}
}

// carryOut does what an outcome asks for.
func carryOut(f *Fleet, out Outcome) {
	f.Baseline = out.Baseline
	for _, d := range out.Decisions {
		i := slices.IndexFunc(f.Nodes, func(n *Node) bool { return n.Name == d.Node })
		n := *f.Nodes[i]
		f.Nodes[i] = &n
		n.Taints = slices.DeleteFunc(slices.Clone(n.Taints), func(t corev1.Taint) bool { return key.Ours(t.Key) })
		n.Taints = append(n.Taints, d.Taints...)
		for _, c := range d.Conditions {
			if c.Type == ConditionCompliant {
				n.Compliant = c
			} else {
				n.Stale = c
			}
		}
	}
}

// effects are those of our taints on a node, by their names.
func effects(d Decision) (list []string) {
	for _, t := range d.Taints {
		list = append(list, t.Key+":"+string(t.Effect))
	}
	return list
}

func decision(t *testing.T, out Outcome, name string) Decision {
	t.Helper()
	for _, d := range out.Decisions {
		if d.Node == name {
			return d
		}
	}
	t.Fatalf("no decision on %s", name)
	return Decision{}
}

func drifted(effect corev1.TaintEffect, ago time.Duration) corev1.Taint {
	at := metav1.NewTime(start.Add(-ago))
	return corev1.Taint{Key: key.Drifted, Effect: effect, TimeAdded: &at}
}

// unverifiedTaint is as the webhook sets it.
var unverifiedTaint = corev1.Taint{Key: key.Unverified, Effect: corev1.TaintEffectNoSchedule}
