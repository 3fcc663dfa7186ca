package webhook

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// What a switch by hand is answered with is about what it enforces anew, and about nothing
// else.
func TestEnforcing(t *testing.T) {
	policy := func(name string, settings ...v1alpha1.ControlSetting) v1alpha1.WorkloadPolicy {
		p := v1alpha1.WorkloadPolicy{Spec: v1alpha1.WorkloadPolicySpec{Controls: settings}}
		p.Name = name
		return p
	}
	broken := policy("broken", v1alpha1.ControlSetting{ID: "nothing-like-it", Mode: "Warn"})
	tests := map[string]struct {
		inForce []v1alpha1.WorkloadPolicy
		next    v1alpha1.WorkloadPolicy
		fails   bool // the census
		want    []string
	}{
		"enforces anew": {next: policy("p", v1alpha1.ControlSetting{ID: "privileged", Mode: "Enforce"}), want: []string{"hardgate: 3 running workloads would be refused at their next start: shop: Deployment/web (privileged), shop: Pod/a (privileged), and 1 more"}},
		"warns":         {next: policy("p", v1alpha1.ControlSetting{ID: "privileged", Mode: "Warn"})},
		"was enforced":  {inForce: []v1alpha1.WorkloadPolicy{policy("p", v1alpha1.ControlSetting{ID: "privileged", Mode: "Enforce"})}, next: policy("p", v1alpha1.ControlSetting{ID: "privileged", Mode: "Enforce"})},
		"by another":    {inForce: []v1alpha1.WorkloadPolicy{policy("o", v1alpha1.ControlSetting{ID: "privileged", Mode: "Enforce"})}, next: policy("p", v1alpha1.ControlSetting{ID: "privileged", Mode: "Enforce"})},
		"nothing fails": {next: policy("p", v1alpha1.ControlSetting{ID: "host-pid", Mode: "Enforce"})},
		"other parameters": {
			inForce: []v1alpha1.WorkloadPolicy{policy("p", v1alpha1.ControlSetting{ID: "host-path", Mode: "Enforce"})},
			next:    policy("p", v1alpha1.ControlSetting{ID: "host-path", Mode: "Enforce", Parameters: &v1alpha1.Parameters{AllowedHostPaths: []v1alpha1.AllowedHostPath{{PathPrefix: "/var"}}}}),
			want:    []string{"hardgate: 1 running workloads would be refused at their next start: shop: Pod/b (host-path)"},
		},
		"beside one that is not understood": {inForce: []v1alpha1.WorkloadPolicy{broken}, next: policy("p", v1alpha1.ControlSetting{ID: "host-path", Mode: "Enforce"}), want: []string{"hardgate: 1 running workloads would be refused at their next start: shop: Pod/b (host-path)"}},
		"could not look":                    {next: policy("p", v1alpha1.ControlSetting{ID: "privileged", Mode: "Enforce"}), fails: true, want: []string{"hardgate: of 1 namespaces in which this enforces more, 0 could be looked at in time: see hardgate rollout for the others"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			gate, _ := newGate(t)
			book, _ := ruling.Compile(tt.inForce)
			gate.SetBook(book)
			gate.inForce.Store(&inForce{policies: tt.inForce, namespaces: func() map[string]labels.Set { return map[string]labels.Set{"shop": nil} }})
			exempt := &exemption.Book{}
			gate.exemptions.Store(exempt)
			gate.SetCensus(func(_ context.Context, _ *ruling.Book, given *exemption.Book, _ string) (map[control.ID]Refused, error) {
				if given != exempt {
					t.Error("the census knows of no exemption")
				}
				if tt.fails {
					return nil, errors.New("no answer")
				}
				return map[control.ID]Refused{"privileged": {3, []string{"Deployment/web", "Pod/a"}}, "host-path": {1, []string{"Pod/b"}}}, nil
			})
			if diff := cmp.Diff(tt.want, gate.enforcing(t.Context(), &tt.next)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
