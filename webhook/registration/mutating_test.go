package registration

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
)

// Nodes are asked about when they register and never else, and a gate that is away keeps
// none from it, however it is installed.
func TestMutating(t *testing.T) {
	for name, o := range tests {
		t.Run(name, func(t *testing.T) {
			built := BuildMutating(o)
			if built.Name != Build(o).Name || built.Kind != "MutatingWebhookConfiguration" || built.APIVersion != Build(o).APIVersion || len(built.Webhooks) != 1+len(o.repairs()) {
				t.Fatalf("%+v", built)
			}
			w := built.Webhooks[0]
			if diff := cmp.Diff(map[string]string{"/v1 nodes": "CREATE"}, asked(w.Rules)); diff != "" || *w.Rules[0].Scope != admissionregistrationv1.ClusterScope {
				t.Errorf("scope %s (-want +got):\n%s", *w.Rules[0].Scope, diff)
			}
			if *w.FailurePolicy != admissionregistrationv1.Ignore {
				t.Errorf("failurePolicy %s: a cluster that starts from nothing never would", *w.FailurePolicy)
			}
			if *w.TimeoutSeconds != 3 || *w.SideEffects != admissionregistrationv1.SideEffectClassNone || *w.MatchPolicy != admissionregistrationv1.Equivalent ||
				*w.ReinvocationPolicy != admissionregistrationv1.IfNeededReinvocationPolicy {
				t.Errorf("%+v", w)
			}
			if w.NamespaceSelector != nil || w.ObjectSelector != nil || len(w.MatchConditions) > 0 {
				t.Errorf("a node's label or namespace keeps it from being asked about: %+v", w)
			}
			for _, other := range Build(o).Webhooks {
				if other.Name == w.Name {
					t.Errorf("two webhooks are called %s", w.Name)
				}
			}
			path := "/mutate-node"
			if o.Service != nil && *w.ClientConfig.Service.Path != path || o.Service == nil && *w.ClientConfig.URL != o.URL+path {
				t.Errorf("%+v", w.ClientConfig)
			}
			if diff := cmp.Diff(o.CABundle, w.ClientConfig.CABundle); diff != "" {
				t.Errorf("CA (-want +got):\n%s", diff)
			}
			*w.FailurePolicy, w.Rules[0].Resources[0], *w.TimeoutSeconds = "changed", "changed", 30
			if again := BuildMutating(o).Webhooks[0]; *again.FailurePolicy != admissionregistrationv1.Ignore || again.Rules[0].Resources[0] != "nodes" || *again.TimeoutSeconds != 3 {
				t.Error("a caller's change is seen by the next caller")
			}
		})
	}
}
