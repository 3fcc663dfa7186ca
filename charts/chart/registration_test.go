package chart_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"

	"github.com/hardgate-dev/hardgate/charts/chart"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// base is what the chart registers: nothing is enforced.
var base = registration.Options{
	Service:  &registration.ServiceRef{Namespace: "hardgate-system", Name: "hardgate-webhook", Port: 443},
	Excluded: []string{"hardgate-leader"},
}

// What is registered first is what the controller would write, so that it has nothing to
// write as long as nothing is enforced.
func TestRegistrationIsTheControllers(t *testing.T) {
	all := objects(t, render(t, chart.Options{}))
	validating := find[*admissionregistrationv1.ValidatingWebhookConfiguration](t, all, registration.Name)
	mutating := find[*admissionregistrationv1.MutatingWebhookConfiguration](t, all, registration.Name)
	wantValidating, wantMutating := registration.Build(base), registration.BuildMutating(base)
	if diff := cmp.Diff(wantValidating.Webhooks, validating.Webhooks); diff != "" {
		t.Errorf("the ValidatingWebhookConfiguration is another than the controller's:\n%s", diff)
	}
	if diff := cmp.Diff(wantMutating.Webhooks, mutating.Webhooks); diff != "" {
		t.Errorf("the MutatingWebhookConfiguration is another than the controller's:\n%s", diff)
	}
	for key, value := range wantValidating.Labels {
		if validating.Labels[key] != value || mutating.Labels[key] != value {
			t.Errorf("the label %s is not %q on both", key, value)
		}
	}
	for key, value := range wantValidating.Annotations {
		if validating.Annotations[key] != value || mutating.Annotations[key] != value {
			t.Errorf("the annotation %s is not %q on both", key, value)
		}
	}
	if err := registration.SelfTest(validating, "hardgate-system", "hardgate-leader"); err != nil {
		t.Errorf("it could lock out: %v", err)
	}
}

// What could be matched by a label that tenants set is found by registration.SelfTest for
// webhooks that fail closed; the chart has none at all.
func TestRegistrationSelectsByNameOnly(t *testing.T) {
	all := objects(t, render(t, chart.Options{}))
	v := find[*admissionregistrationv1.ValidatingWebhookConfiguration](t, all, registration.Name)
	for _, w := range v.Webhooks {
		if w.ObjectSelector != nil {
			t.Errorf("%s selects objects by their labels", w.Name)
		}
		if w.NamespaceSelector == nil {
			continue
		}
		if len(w.NamespaceSelector.MatchLabels) > 0 {
			t.Errorf("%s selects by matchLabels", w.Name)
		}
		for _, e := range w.NamespaceSelector.MatchExpressions {
			if e.Key != "kubernetes.io/metadata.name" {
				t.Errorf("%s selects by the label %s, which tenants can set", w.Name, e.Key)
			}
		}
	}
	if !strings.Contains(render(t, chart.Options{})["webhook/registration.yaml"], "kube-system") {
		t.Error("kube-system is not left out")
	}
}
