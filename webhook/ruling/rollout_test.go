package ruling

import (
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
		"off stays off":                {start: "Off", rollout: &v1alpha1.Rollout{}, reached: map[Cell]control.Mode{cell: control.Enforce}, want: ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := v1alpha1.WorkloadPolicy{Spec: v1alpha1.WorkloadPolicySpec{Mode: tt.start, Rollout: tt.rollout}}
			p.Name = "p"
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
