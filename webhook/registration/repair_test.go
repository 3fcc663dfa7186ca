package registration

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
)

// asks is whether a repair of a resource is asked for in a namespace.
func asks(t *testing.T, o Options, resource, namespace string) bool {
	t.Helper()
	asked := 0
	for _, w := range BuildMutating(o).Webhooks {
		// As a validating webhook, so that both are asked in the same way.
		if w.Rules[0].Resources[0] == resource && selects(t, &admissionregistrationv1.ValidatingWebhook{Name: w.Name, NamespaceSelector: w.NamespaceSelector}, namespace) {
			asked++
		}
	}
	if asked > 1 {
		t.Errorf("%s of %s are asked about %d times", resource, namespace, asked)
	}
	return asked == 1
}

func TestRepairSelection(t *testing.T) {
	service := &ServiceRef{Namespace: "hardgate", Name: "webhook"}
	shops := []string{"shop", "kube-system", "hardgate", "left-out", "shop"}
	tests := map[string]struct {
		repaired       Repaired
		pods, accounts []string
	}{
		"nothing":                               {},
		"some":                                  {repaired: Repaired{Namespaces: shops}, pods: []string{"shop"}},
		"only what is let be":                   {repaired: Repaired{Namespaces: shops[1:4]}},
		"everywhere":                            {repaired: Repaired{Namespaces: shops, Everywhere: true}, pods: []string{"shop", "new"}},
		"everywhere, and no namespace is there": {repaired: Repaired{Everywhere: true}, pods: []string{"shop", "new"}},
		"accounts":                              {repaired: Repaired{Accounts: true}, accounts: []string{"shop", "new"}},
		"accounts and some":                     {repaired: Repaired{Namespaces: shops, Accounts: true}, pods: []string{"shop"}, accounts: []string{"shop", "new"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := Options{Service: service, Excluded: []string{"left-out"}, Repaired: tt.repaired}
			for resource, want := range map[string][]string{"pods": tt.pods, "serviceaccounts": tt.accounts} {
				var got []string
				for _, namespace := range []string{"shop", "new", "kube-system", "hardgate", "left-out"} {
					if asks(t, o, resource, namespace) {
						got = append(got, namespace)
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", resource, diff)
				}
			}
			if diff := cmp.Diff(Build(Options{Service: service, Excluded: o.Excluded}), Build(o)); diff != "" {
				t.Errorf("what is judged depends on what is repaired:\n%s", diff)
			}
		})
	}
}

// Nothing is refused because a repair is not to be had, and no call is made that need not be.
func TestRepairWebhooks(t *testing.T) {
	o := Options{URL: "https://localhost:9443", Repaired: Repaired{Namespaces: []string{"b", "a"}, Accounts: true}}
	built := BuildMutating(o).Webhooks[1:]
	want := map[string]string{"repair.hardgate.dev": "/v1 pods", "repair-accounts.hardgate.dev": "/v1 serviceaccounts"}
	got := map[string]string{}
	for _, w := range built {
		for what, operations := range asked(w.Rules) {
			got[w.Name] = what
			if operations != "CREATE" || *w.Rules[0].Scope != admissionregistrationv1.NamespacedScope {
				t.Errorf("%s is asked for %s in scope %s", w.Name, operations, *w.Rules[0].Scope)
			}
		}
		if *w.FailurePolicy != admissionregistrationv1.Ignore || *w.TimeoutSeconds > 3 || *w.SideEffects != admissionregistrationv1.SideEffectClassNone ||
			*w.MatchPolicy != admissionregistrationv1.Equivalent || *w.ReinvocationPolicy != admissionregistrationv1.IfNeededReinvocationPolicy ||
			w.ObjectSelector != nil || *w.ClientConfig.URL != "https://localhost:9443/mutate" {
			t.Errorf("%+v", w)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c := built[1].MatchConditions; len(built[0].MatchConditions) != 0 || len(c) != 1 || c[0].Expression != `request.name == "default"` {
		t.Errorf("conditions %v, %v", built[0].MatchConditions, c)
	}
	if o.Repaired.Namespaces[0] != "b" {
		t.Error("the options have changed")
	}
}
