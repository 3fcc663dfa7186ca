package controller

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/record"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/controller/roster"
	"github.com/hardgate-dev/hardgate/taint/key"
)

var (
	hard = corev1.Taint{Key: key.Drifted, Effect: corev1.TaintEffectNoSchedule, TimeAdded: new(metav1.NewTime(now))}
	soft = corev1.Taint{Key: key.Drifted, Effect: corev1.TaintEffectPreferNoSchedule, TimeAdded: new(metav1.NewTime(now))}
)

func compliant(v taint.Verdict, message string, since time.Time) corev1.NodeCondition {
	return corev1.NodeCondition{Type: taint.ConditionCompliant, Reason: string(v), Message: message, LastTransitionTime: metav1.NewTime(since)}
}

func TestTasks(t *testing.T) {
	stored := compliant(taint.Compliant, "", now)
	drifted := []corev1.NodeCondition{compliant(taint.Drifted, "Failing: a. ", now)}
	v := roster.View{Nodes: map[string]*taint.Node{}, Unsure: map[string]bool{"unsure": true, "unsure-and-paused": true}}
	var decisions []taint.Decision
	for _, d := range []taint.Decision{
		{Node: "as-it-is", Conditions: []corev1.NodeCondition{stored}},
		{Node: "condition", Conditions: drifted},
		{Node: "left-alone", Leave: true},
		{Node: "taint", Taints: []corev1.Taint{hard}, Added: []corev1.Taint{hard}, Conditions: drifted},
		{Node: "unsure", Taints: []corev1.Taint{hard}, Conditions: []corev1.NodeCondition{stored}},
		{Node: "unsure-and-paused", Taints: []corev1.Taint{hard}, Leave: true},
		{Node: "untaint", Removed: []corev1.Taint{hard}, Conditions: []corev1.NodeCondition{stored}},
	} {
		v.Nodes[d.Node] = &taint.Node{Name: d.Node, Compliant: stored}
		decisions = append(decisions, d)
	}
	v.Orders = []roster.Order{{Node: "ordered"}}
	var got []string
	c := New(roster.New("", nil, nil))
	for _, task := range c.tasks(v, decisions, now) {
		got = append(got, task.kind.String()+" of "+task.node)
	}
	want := []string{
		"taints of taint", "conditions of taint", "taints of unsure", "taints of untaint", // they come first, with what says why
		"conditions of condition", "orders of ordered",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A taint is due from when it was known that it is, though it takes several plans until
// it is written; and not since the one before.
func TestDue(t *testing.T) {
	c := New(roster.New("", nil, nil))
	v := roster.View{Nodes: map[string]*taint.Node{"a": {Name: "a"}}, Unsure: map[string]bool{}}
	due := func(d taint.Decision, at time.Time) time.Time {
		d.Node = "a"
		tasks := c.tasks(v, []taint.Decision{d}, at)
		if len(tasks) == 0 {
			return time.Time{}
		}
		return tasks[0].due
	}
	add := taint.Decision{Added: []corev1.Taint{hard}}
	at := func(s int) time.Time { return now.Add(time.Duration(s) * time.Second) }
	if got := due(add, at(0)); !got.Equal(at(0)) {
		t.Errorf("due at %s", got)
	}
	if got := due(add, at(1)); !got.Equal(at(0)) {
		t.Errorf("in the next plan due at %s", got)
	}
	v.Unsure["a"] = true
	if got := due(taint.Decision{Taints: []corev1.Taint{hard}}, at(2)); !got.Equal(at(0)) {
		t.Errorf("while it is in doubt due at %s", got)
	}
	v.Unsure["a"] = false
	due(taint.Decision{Removed: []corev1.Taint{hard}}, at(3))
	if got := due(add, at(4)); !got.Equal(at(4)) {
		t.Errorf("the next one is due at %s", got)
	}
}

// Between a plan and its write, an earlier plan's write may have stored the transition.
func TestDifferAfterAnEarlierWrite(t *testing.T) {
	want := []corev1.NodeCondition{compliant(taint.Drifted, "Failing: a. ", now)}
	for name, tt := range map[string]struct {
		has  corev1.NodeCondition
		want bool
	}{
		"the same":           {compliant(taint.Drifted, "Failing: a. ", now), false},
		"a second earlier":   {compliant(taint.Drifted, "Failing: a. ", now.Add(-time.Second)), false},
		"a second later":     {compliant(taint.Drifted, "Failing: a. ", now.Add(time.Second)), true},
		"another message":    {compliant(taint.Drifted, "Failing: b. ", now.Add(-time.Second)), true},
		"another verdict":    {compliant(taint.Compliant, "Failing: a. ", now.Add(-time.Second)), true},
		"none":               {corev1.NodeCondition{}, true},
		"of another one too": {corev1.NodeCondition{Type: taint.ConditionStale}, true},
	} {
		if got := differ(want, []corev1.NodeCondition{tt.has}); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if !want[0].LastTransitionTime.Equal(new(metav1.NewTime(now))) {
		t.Error("the decision was changed")
	}
}

func TestStatus(t *testing.T) {
	out := taint.Outcome{
		Counts: taint.Counts{
			Total: 100, Compliant: 50, Warned: 5, Drifted: 30, Unverified: 10, NotEnforced: 5, Stale: 3, Tainted: 9, Untrusted: 2, Held: 21, Used: 9, Limit: 10,
			Holds: map[taint.Hold]int{taint.HoldCluster: 20, taint.HoldPool: 4, taint.HoldLast: 1, taint.HoldGrace: 7},
		},
		Stops:    []taint.Stop{{Control: "a", Failing: 30, Nodes: 90}, {Control: "b", Failing: 21, Nodes: 90}},
		Baseline: []taint.RuleSet{{RuleSetID: taint.RuleSetID{AgentVersion: "v1", RuleSet: "r1"}, FirstSeen: now, Accepted: true}},
	}
	got := status(out, taint.Fleet{Paused: "the annotation x", Misunderstood: []error{errors.New("NodePolicy a: one"), errors.New("NodePolicy b: " + strings.Repeat("é", 2000))}})
	n := got.Nodes
	if n.Total != n.Compliant+n.Warned+n.Drifted+n.Unknown {
		t.Errorf("%+v does not add up", n)
	}
	if diff := cmp.Diff(v1alpha1.NodeCounts{Total: 100, Compliant: 50, Warned: 5, Drifted: 30, Unknown: 15, Stale: 3, Tainted: 9, Unverified: 2, Held: 21}, n); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]v1alpha1.AcceptedRuleSet{{AgentVersion: "v1", RuleSet: "r1", FirstSeen: metav1.NewTime(now), Accepted: true}}, got.RuleSets); diff != "" {
		t.Error(diff)
	}
	for i, want := range []struct{ kind, status, message string }{
		{"CorrelationStop", "True", "Nobody new is tainted because of a, b. The rule or the image must be at fault: 30 of 90 nodes fail a, 21 of 90 nodes fail b."},
		{"PoliciesUnderstood", "False", "No taint is set or removed: NodePolicy a: one; NodePolicy b: éé"},
		{"BudgetExhausted", "True", "25 nodes should be tainted and are not: 9 of the cluster are, of at most 10; 4 wait for their pool, 1 are the last of theirs."},
		{"Paused", "True", "No taint is set or removed: paused by the annotation x."},
	} {
		c := got.Conditions[i]
		if c.Type != want.kind || string(c.Status) != want.status || !strings.HasPrefix(c.Message, want.message) || len(c.Message) > maxMessage || c.Reason == "" {
			t.Errorf("%+v", c)
		}
	}
	for _, c := range status(taint.Outcome{Counts: taint.Counts{Holds: map[taint.Hold]int{taint.HoldGrace: 1}}}, taint.Fleet{}).Conditions {
		if want := c.Type == "PoliciesUnderstood"; (c.Status == metav1.ConditionTrue) != want {
			t.Errorf("of a fleet at rest: %+v", c)
		}
	}
}

func TestEvents(t *testing.T) {
	ids := []string{"perm-crontab", "ssh-x11"}
	drifted := compliant(taint.Drifted, "Failing: perm-crontab, ssh-x11. See x.", now)
	warned := compliant(taint.Warned, "Failing: ssh-x11. They are warned of.", now)
	fine := compliant(taint.Compliant, "Nothing fails.", now)
	unverified := compliant(taint.Unverified, "There is no report.", now)
	decide := func(v taint.Verdict, c corev1.NodeCondition, controls ...string) taint.Decision {
		d := taint.Decision{Node: "a", UID: "u", Verdict: v, Conditions: []corev1.NodeCondition{c}}
		for _, id := range controls {
			d.Controls = append(d.Controls, control.ID(id))
		}
		return d
	}
	held := func(d taint.Decision, h taint.Hold, detail string) taint.Decision {
		d.Held, d.HeldDetail = h, detail
		return d
	}
	for name, tt := range map[string]struct {
		d      taint.Decision
		before corev1.NodeCondition
		want   string
	}{
		"drifted":              {decide(taint.Drifted, drifted, ids...), fine, "Warning HardeningDrifted Fails perm-crontab, ssh-x11, which NodePolicies enforce."},
		"and held":             {held(decide(taint.Drifted, drifted, ids...), taint.HoldGrace, "Not yet."), fine, "Warning HardeningDrifted Fails perm-crontab, ssh-x11, which NodePolicies enforce. Not yet."},
		"with all others":      {held(decide(taint.Drifted, drifted, ids...), taint.HoldCorrelation, "No."), fine, ""},
		"still drifted":        {decide(taint.Drifted, drifted, ids...), compliant(taint.Drifted, "Failing: perm-crontab, ssh-x11. Held. See x.", now), ""},
		"drifted by more":      {decide(taint.Drifted, drifted, ids...), compliant(taint.Drifted, "Failing: perm-crontab. See x.", now), "Warning HardeningDrifted Fails perm-crontab, ssh-x11, which NodePolicies enforce."},
		"drifted after a warn": {decide(taint.Drifted, drifted, ids...), warned, "Warning HardeningDrifted Fails perm-crontab, ssh-x11, which NodePolicies enforce."},
		"warned":               {decide(taint.Warned, warned, ids[1]), fine, "Warning HardeningWarned Fails ssh-x11, which NodePolicies warn of."},
		"mended":               {decide(taint.Compliant, fine), drifted, "Normal HardeningVerified Nothing fails that is enforced or warned of."},
		"verified":             {decide(taint.Compliant, fine), unverified, "Normal HardeningVerified Nothing fails that is enforced or warned of."},
		"fine from the start":  {decide(taint.Compliant, fine), corev1.NodeCondition{}, ""},
		"fine under a policy":  {decide(taint.Compliant, fine), compliant(taint.NotEnforced, "No policy.", now), ""},
		"not known any more":   {decide(taint.Unverified, unverified), fine, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, events := withEvents()
			c.tellVerdict(&tt.d, tt.before)
			if diff := cmp.Diff(tt.want, events()); diff != "" {
				t.Error(diff)
			}
		})
	}
	many := decide(taint.Drifted, drifted, strings.Split("a b c d e f g h i j", " ")...)
	many.Added, many.Removed = []corev1.Taint{hard}, []corev1.Taint{soft}
	c, events := withEvents()
	c.tellTaints(&many)
	if got := events(); got != "Warning HardeningTainted Tainted hardgate.dev/drifted:NoSchedule: it fails a, b, c, d, e, f, g, h and 2 more." {
		t.Error(got)
	}
	mended := decide(taint.Compliant, fine)
	mended.Removed = []corev1.Taint{hard}
	c.tellTaints(&mended)
	if got := events(); got != "Normal HardeningUntainted No longer tainted hardgate.dev/drifted:NoSchedule: nothing fails that is enforced or warned of." {
		t.Error(got)
	}
}

// withEvents is a controller whose next Event can be asked for; empty if there is none.
func withEvents() (*Controller, func() string) {
	recorder := record.NewFakeRecorder(10)
	c := New(roster.New("", nil, nil))
	c.Events = recorder
	return c, func() string {
		select {
		case e := <-recorder.Events:
			return e
		default:
			return ""
		}
	}
}
