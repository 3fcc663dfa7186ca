package registration

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// storedRepaired is what the API server makes of a configuration, somebody else's authority
// injected.
func storedRepaired(o Options) *admissionregistrationv1.MutatingWebhookConfiguration {
	built := BuildMutating(o)
	for i := range built.Webhooks {
		w := &built.Webhooks[i]
		w.ClientConfig.CABundle = []byte("injected")
		w.ObjectSelector = &metav1.LabelSelector{}
		if w.NamespaceSelector == nil {
			w.NamespaceSelector = &metav1.LabelSelector{}
		}
	}
	return built
}

// What is wanted is what BuildMutating makes, whatever is there.
func TestFollowRepaired(t *testing.T) {
	states := map[string]Repaired{
		"nothing":    {},
		"some":       {Namespaces: []string{"shop", "cart"}},
		"others":     {Namespaces: []string{"cart"}, Accounts: true},
		"excluded":   {Namespaces: []string{"left-out", "kube-system", "hardgate"}},
		"everywhere": {Everywhere: true, Accounts: true},
		"accounts":   {Accounts: true},
	}
	for place, o := range map[string]Options{
		"service": {Service: &ServiceRef{Namespace: "hardgate", Name: "webhook", Port: 8443}, Excluded: []string{"left-out"}},
		"url":     {URL: "https://localhost:9443", Excluded: []string{"left-out", "hardgate"}},
	} {
		for before, was := range states {
			for after, is := range states {
				t.Run(place+" from "+before+" to "+after, func(t *testing.T) {
					from, to := o, o
					from.Repaired, to.Repaired = was, is
					stored := storedRepaired(from)
					untouched := stored.DeepCopy()
					got, differs, err := FollowRepaired(stored, o.Excluded, is)
					if err != nil {
						t.Fatal(err)
					}
					want := storedRepaired(to)
					if diff := cmp.Diff(byName(want), byName(got)); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
					if differs == cmp.Equal(byName(stored), byName(want)) {
						t.Errorf("differs is %v", differs)
					}
					if diff := cmp.Diff(untouched, stored); diff != "" {
						t.Errorf("what is stored has changed:\n%s", diff)
					}
					if _, again, err := FollowRepaired(got, o.Excluded, is); again || err != nil {
						t.Errorf("it differs from itself: %v %v", again, err)
					}
				})
			}
		}
	}
}

// byName are the webhooks by their names: their order is no matter.
func byName(c *admissionregistrationv1.MutatingWebhookConfiguration) map[string]admissionregistrationv1.MutatingWebhook {
	all := map[string]admissionregistrationv1.MutatingWebhook{}
	for _, w := range c.Webhooks {
		all[w.Name] = w
	}
	return all
}

// What somebody changed in our webhooks is put right; what is not ours stays.
func TestFollowRepairedMends(t *testing.T) {
	o := Options{URL: "https://localhost:9443", Repaired: Repaired{Namespaces: []string{"shop"}}}
	stored := storedRepaired(o)
	stored.Annotations = map[string]string{"cert-manager.io/inject-ca-from": "a/b"}
	failing := admissionregistrationv1.Fail
	stored.Webhooks[1].FailurePolicy = &failing
	foreign := *stored.Webhooks[1].DeepCopy()
	foreign.Name = "other.example.com"
	stored.Webhooks = append([]admissionregistrationv1.MutatingWebhook{foreign}, stored.Webhooks...)
	got, differs, err := FollowRepaired(stored, nil, o.Repaired)
	if err != nil || !differs {
		t.Fatalf("differs %v, error %v", differs, err)
	}
	if diff := cmp.Diff(foreign, got.Webhooks[0]); diff != "" || len(got.Webhooks) != 3 || got.Annotations["cert-manager.io/inject-ca-from"] != "a/b" {
		t.Errorf("%+v (-want +got):\n%s", got, diff)
	}
	if *got.Webhooks[2].FailurePolicy != admissionregistrationv1.Ignore {
		t.Error("a repair may fail closed")
	}
}

func TestFollowRepairedOfWhatIsNotOurs(t *testing.T) {
	good := func() *admissionregistrationv1.MutatingWebhookConfiguration {
		return storedRepaired(Options{URL: "https://localhost:9443"})
	}
	none, moved, nowhere := good(), good(), good()
	none.Webhooks = nil
	moved.Webhooks[0].ClientConfig.URL = new("https://localhost:9443/other")
	nowhere.Webhooks[0].ClientConfig.URL = nil
	served := storedRepaired(Options{Service: &ServiceRef{Namespace: "a", Name: "b"}})
	served.Webhooks[0].ClientConfig.Service.Path = nil
	for name, c := range map[string]*admissionregistrationv1.MutatingWebhookConfiguration{"no webhook": none, "another path": moved, "no URL": nowhere, "a Service without a path": served} {
		if _, _, err := FollowRepaired(c, nil, Repaired{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
