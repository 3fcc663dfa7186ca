package registration

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The self-test is registered however the gate is installed. What it fails closed on is
// one object, which is never there.
func TestSelfTestEntry(t *testing.T) {
	each(t, func(t *testing.T, _ Options, webhooks map[string]admissionregistrationv1.ValidatingWebhook) {
		t.Helper()
		w, ok := webhooks["self-test"]
		if !ok {
			t.Fatal("no webhook for the self-test")
		}
		if diff := cmp.Diff(map[string]string{"hardgate.dev/* clusterreports": "CREATE"}, asked(w.Rules)); diff != "" || namespaced(&w) {
			t.Errorf("namespaced %v (-want +got):\n%s", namespaced(&w), diff)
		}
		want := []admissionregistrationv1.MatchCondition{{Name: "self-test", Expression: `object.?metadata.?name.orValue("") == "self-test"`}}
		if diff := cmp.Diff(want, w.MatchConditions); diff != "" || *w.FailurePolicy != admissionregistrationv1.Fail {
			t.Errorf("failurePolicy %s, conditions (-want +got):\n%s", *w.FailurePolicy, diff)
		}
	})
}

func TestReached(t *testing.T) {
	said := `admission webhook "self-test.hardgate.dev" denied the request: ` + SelfTestDenial("v1.2.3")
	if version, ok := Reached(errors.New(said)); !ok || version != "v1.2.3" {
		t.Errorf("the gate's own answer is %q, %v", version, ok)
	}
	for name, err := range map[string]error{
		"nobody is asked":    nil,
		"nobody answers":     errors.New(`Internal error occurred: failed calling webhook "self-test.hardgate.dev": failed to call webhook: Post "https://webhook.hardgate.svc:443/self-test?timeout=3s": dial tcp 10.0.0.1:443: connect: connection refused`),
		"another answers":    errors.New(`admission webhook "reports.example.com" denied the request: ` + SelfTestDenial("v1.2.3")),
		"the gate for other": errors.New(`admission webhook "policies.hardgate.dev" denied the request: ` + SelfTestDenial("v1.2.3")),
		"other words":        errors.New(`admission webhook "self-test.hardgate.dev" denied the request: hardgate: no`),
		"quoted":             errors.New(`Internal error occurred: failed calling webhook "self-test.hardgate.dev": ` + said),
		"not allowed to ask": errors.New(`clusterreports.hardgate.dev is forbidden: User "x" cannot create resource "clusterreports" in API group "hardgate.dev" at the cluster scope`),
	} {
		if version, ok := Reached(err); ok {
			t.Errorf("%s: reached, version %q", name, version)
		}
	}
}

func TestClosed(t *testing.T) {
	o := Options{URL: "https://localhost:1", Enforced: []string{"shop", "cart", "kube-system"}}
	if got := Closed(Build(o)); !slices.Equal(got, []string{"cart", "shop"}) {
		t.Errorf("closed are %q", got)
	}
	o.Enforced = nil
	if got := Closed(Build(o)); len(got) > 0 {
		t.Errorf("closed are %q, where nothing is enforced", got)
	}
}

// Who writes reports must not depend on the gate: the condition of the self-test is what
// keeps it from that.
func TestSelfTestOfReports(t *testing.T) {
	tests := map[string]struct {
		change func(*admissionregistrationv1.ValidatingWebhook)
		refuse bool
	}{
		"as it is":            {func(*admissionregistrationv1.ValidatingWebhook) {}, false},
		"without a condition": {func(w *admissionregistrationv1.ValidatingWebhook) { w.MatchConditions = nil }, true},
		"another condition":   {func(w *admissionregistrationv1.ValidatingWebhook) { w.MatchConditions[0].Expression = "true" }, true},
		"nodes' reports": {func(w *admissionregistrationv1.ValidatingWebhook) {
			w.MatchConditions, w.Rules[0].Resources = nil, []string{"exemptions", "nodereports"}
		}, true},
		"policies alone": {func(w *admissionregistrationv1.ValidatingWebhook) {
			w.MatchConditions, w.Rules[0].Resources = nil, []string{"exemptions"}
		}, false},
		"every scope": {func(w *admissionregistrationv1.ValidatingWebhook) {
			w.MatchConditions, w.Rules[0].Scope = nil, new(admissionregistrationv1.AllScopes)
			w.NamespaceSelector = names(metav1.LabelSelectorOpIn, []string{"shop"})
		}, true},
		"open": {func(w *admissionregistrationv1.ValidatingWebhook) {
			w.MatchConditions, w.FailurePolicy = nil, new(ignore)
		}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := Build(Options{URL: "https://localhost:1"})
			i := slices.IndexFunc(c.Webhooks, func(w admissionregistrationv1.ValidatingWebhook) bool { return w.Name == "self-test.hardgate.dev" })
			tt.change(&c.Webhooks[i])
			if err := SelfTest(c, "hardgate-system"); (err != nil) != tt.refuse {
				t.Errorf("%v, refused %v", err, tt.refuse)
			}
		})
	}
}
