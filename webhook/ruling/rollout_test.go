package ruling

import (
	"math/rand/v2"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

func TestRollout(t *testing.T) {
	const (
		audit, warn, enforce = "Audit", "Warn", "Enforce"
		here                 = "shop"
	)
	cell := Cell{"p", "host-ports"}
	pin := func(mode v1alpha1.Mode, namespaces ...string) v1alpha1.RolloutPin {
		return v1alpha1.RolloutPin{RolloutCells: v1alpha1.RolloutCells{Namespaces: namespaces, Controls: []string{"host-ports"}}, Mode: mode}
	}
	atMost := func(mode v1alpha1.Mode, namespaces ...string) v1alpha1.RolloutPin {
		p := pin(mode, namespaces...)
		p.AtMost = true
		return p
	}
	pins := func(all ...v1alpha1.RolloutPin) *v1alpha1.Rollout { return &v1alpha1.Rollout{Pins: all} }
	reachedAll := map[Cell]control.Mode{cell: control.Enforce}
	tests := map[string]struct {
		start   v1alpha1.Mode
		rollout *v1alpha1.Rollout
		reached map[Cell]control.Mode
		want    string
	}{
		"no rollout, something reached": {start: audit, reached: map[Cell]control.Mode{cell: control.Enforce}, want: audit},
		"nothing reached":               {start: audit, rollout: &v1alpha1.Rollout{}, want: audit},
		"reached":                       {start: audit, rollout: &v1alpha1.Rollout{}, reached: map[Cell]control.Mode{cell: control.Enforce}, want: enforce},
		"of another policy":             {start: audit, rollout: &v1alpha1.Rollout{}, reached: map[Cell]control.Mode{{"q", "host-ports"}: control.Enforce}, want: audit},
		"of another control":            {start: audit, rollout: &v1alpha1.Rollout{}, reached: map[Cell]control.Mode{{"p", "host-path"}: control.Enforce}, want: audit},
		"not beyond the target":         {start: audit, rollout: &v1alpha1.Rollout{Target: warn}, reached: map[Cell]control.Mode{cell: control.Enforce}, want: warn},
		"not below the start":           {start: enforce, rollout: &v1alpha1.Rollout{}, reached: map[Cell]control.Mode{cell: control.Audit}, want: enforce},
		"paused keeps what is reached":  {start: audit, rollout: &v1alpha1.Rollout{Paused: true}, reached: map[Cell]control.Mode{cell: control.Warn}, want: warn},
		"excluded": {
			start:   audit,
			rollout: &v1alpha1.Rollout{Exclude: []v1alpha1.RolloutCells{{Namespaces: []string{here}}}},
			reached: map[Cell]control.Mode{cell: control.Enforce}, want: audit,
		},
		"excluded elsewhere": {
			start:   audit,
			rollout: &v1alpha1.Rollout{Exclude: []v1alpha1.RolloutCells{{Namespaces: []string{"other"}}, {Namespaces: []string{here}, Controls: []string{"host-path"}}}},
			reached: map[Cell]control.Mode{cell: control.Enforce}, want: enforce,
		},
		"pinned below what is reached": {start: audit, rollout: &v1alpha1.Rollout{Pins: []v1alpha1.RolloutPin{pin(warn, here)}}, reached: map[Cell]control.Mode{cell: control.Enforce}, want: warn},
		"pinned below the start":       {start: enforce, rollout: &v1alpha1.Rollout{Pins: []v1alpha1.RolloutPin{pin(audit, here)}}, want: audit},
		"pinned above":                 {start: audit, rollout: &v1alpha1.Rollout{Pins: []v1alpha1.RolloutPin{pin(enforce)}}, want: enforce},
		"the last pin counts":          {start: audit, rollout: &v1alpha1.Rollout{Pins: []v1alpha1.RolloutPin{pin(enforce), pin(warn, here), pin(audit, "other")}}, want: warn},
		"pinned off":                   {start: audit, rollout: &v1alpha1.Rollout{Pins: []v1alpha1.RolloutPin{pin("Off")}}, want: ""},
		"by this very policy":          {start: audit, rollout: &v1alpha1.Rollout{}, reached: map[Cell]control.Mode{{Identity("p", "1"), "host-ports"}: control.Enforce}, want: enforce},
		"by one of the same name":      {start: audit, rollout: &v1alpha1.Rollout{}, reached: map[Cell]control.Mode{{Identity("p", "0"), "host-ports"}: control.Enforce}, want: audit},
		"at most, reached more":        {start: audit, rollout: pins(atMost(warn, here)), reached: reachedAll, want: warn},
		"at most, reached less":        {start: audit, rollout: pins(atMost(warn, here)), want: audit},
		"at most, off":                 {start: "Off", rollout: pins(atMost(warn, here)), want: ""},
		"at most, begun above":         {start: enforce, rollout: pins(atMost(warn, here)), want: warn},
		"at most, another namespace":   {start: audit, rollout: pins(atMost(warn, "other")), reached: reachedAll, want: enforce},
		"at most, pinned above before": {start: audit, rollout: pins(pin(enforce), atMost(warn, here)), want: warn},
		"at most, pinned below before": {start: audit, rollout: pins(pin(audit), atMost(warn, here)), reached: reachedAll, want: audit},
		"at most, pinned above after":  {start: audit, rollout: pins(atMost(warn, here), pin(enforce)), want: enforce},
		"at most, the milder of two":   {start: audit, rollout: pins(atMost(audit, here), atMost(warn)), reached: reachedAll, want: audit},
		"at most, excluded":            {start: enforce, rollout: &v1alpha1.Rollout{Pins: []v1alpha1.RolloutPin{atMost(warn)}, Exclude: []v1alpha1.RolloutCells{{Namespaces: []string{here}}}}, want: warn},
		"off stays off":                {start: "Off", rollout: &v1alpha1.Rollout{}, reached: map[Cell]control.Mode{cell: control.Enforce}, want: ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := v1alpha1.WorkloadPolicy{Spec: v1alpha1.WorkloadPolicySpec{Mode: tt.start, Rollout: tt.rollout}}
			p.Name, p.UID = "p", "1"
			book, errs := Compile([]v1alpha1.WorkloadPolicy{p})
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			book = book.At(Reached{here: tt.reached, "other": {cell: control.Audit}})
			book.For("another", nil) // what is remembered of one namespace is not another's
			got := ""
			for _, j := range book.For(here, nil) {
				if j.Policy.ID == "host-ports" {
					got = j.Rulings[0].Mode.String()
				}
			}
			if got != tt.want {
				t.Errorf("mode %q, want %q", got, tt.want)
			}
		})
	}
}

// Objects without a namespace are judged by policies that select all namespaces.
func TestForNoNamespace(t *testing.T) {
	some := v1alpha1.WorkloadPolicy{Spec: v1alpha1.WorkloadPolicySpec{Mode: "Enforce", NamespaceSelector: &metav1.LabelSelector{
		MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "kubernetes.io/metadata.name", Operator: metav1.LabelSelectorOpNotIn, Values: []string{"kube-system"}}},
	}}}
	all := v1alpha1.WorkloadPolicy{Spec: v1alpha1.WorkloadPolicySpec{Mode: "Audit"}}
	book, errs := Compile([]v1alpha1.WorkloadPolicy{some, all})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if got := book.For("", nil)[0].Rulings; len(got) != 1 || got[0].Mode != control.Audit {
		t.Errorf("rulings %+v", got)
	}
}

// Objects without a namespace are named as their report is.
func TestNoNamespaceByName(t *testing.T) {
	const anywhere = "rbac-wildcards" // judges objects with and without a namespace
	cells := []string{v1alpha1.ClusterScopedReportName}
	tests := map[string]struct {
		rollout  v1alpha1.Rollout
		none, in control.Mode
	}{
		"pinned":   {v1alpha1.Rollout{Pins: []v1alpha1.RolloutPin{{RolloutCells: v1alpha1.RolloutCells{Namespaces: cells}, Mode: "Audit"}}}, control.Audit, control.Enforce},
		"excluded": {v1alpha1.Rollout{Exclude: []v1alpha1.RolloutCells{{Namespaces: cells}}}, control.Warn, control.Enforce},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := v1alpha1.WorkloadPolicy{Spec: v1alpha1.WorkloadPolicySpec{Mode: "Warn", Rollout: &tt.rollout}}
			p.Name = "p"
			book, errs := Compile([]v1alpha1.WorkloadPolicy{p})
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			reached := map[Cell]control.Mode{{"p", anywhere}: control.Enforce}
			book = book.At(Reached{"": reached, "shop": reached})
			for ns, want := range map[string]control.Mode{"": tt.none, "shop": tt.in} {
				got := control.Off
				for _, j := range book.For(ns, nil) {
					if j.Policy.ID == anywhere {
						got = j.Rulings[0].Mode
					}
				}
				if got != want {
					t.Errorf("namespace %q: %s, want %s", ns, got, want)
				}
			}
		})
	}
}

// TestCeilingNeverRaises: whatever a policy, its rollout and its pins make of a cell, one
// more pin that says "at most" makes it no stricter, and none stricter than it says.
func TestCeilingNeverRaises(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	modes := []v1alpha1.Mode{"Off", "Audit", "Warn", "Enforce"}
	for range 5000 {
		led := &rollout{target: control.Warn + control.Mode(r.IntN(2))}
		if r.IntN(4) == 0 {
			led.exclude = []v1alpha1.RolloutCells{{Namespaces: []string{"shop"}}}
		}
		for range r.IntN(4) {
			led.pins = append(led.pins, v1alpha1.RolloutPin{Mode: modes[r.IntN(4)], AtMost: r.IntN(2) == 0})
		}
		start, reached := control.Mode(r.IntN(4)), control.Mode(r.IntN(4))
		before := led.mode("shop", "host-ports", start, reached)
		to := r.IntN(4)
		led.pins = append(led.pins, v1alpha1.RolloutPin{Mode: modes[to], AtMost: true})
		if after := led.mode("shop", "host-ports", start, reached); after != min(before, control.Mode(to)) {
			t.Fatalf("%+v from %s, reached %s: %s, and %s with %s at most", led, start, reached, before, after, modes[to])
		}
	}
}
