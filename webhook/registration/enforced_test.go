package registration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What is built passes the test of itself, however it is installed and whatever is enforced.
func TestSelfTestOfWhatIsBuilt(t *testing.T) {
	for name, o := range tests {
		own := []string{"hardgate-leader"}
		if o.Service != nil {
			own = append(own, o.Service.Namespace)
		}
		if err := SelfTest(Build(o), own...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A policy for all namespaces enforces in those that every cluster has of itself, too. That
// must keep no other from failing closed.
func TestFollowEverywhere(t *testing.T) {
	wanted, _, err := FollowEnforced(Build(Options{URL: "https://localhost:1"}), nil, []string{"default", "kube-node-lease", "kube-public", "kube-system", "shop"})
	if err == nil {
		err = SelfTest(wanted)
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"default", "shop"}, Closed(wanted)); diff != "" {
		t.Errorf("closed (-want +got):\n%s", diff)
	}
}

// However many namespaces are enforced, what is stored has room in etcd: else none could be
// let go of any more.
func TestFit(t *testing.T) {
	var enforced []string
	for i := range 20_000 {
		enforced = append(enforced, fmt.Sprintf("%s-%05d", strings.Repeat("n", 57), i))
	}
	closed := enforced[19_990:]
	fit, left := Fit(enforced, closed)
	if len(fit)+left != len(enforced) || left == 0 || !slices.Equal(fit[:10], closed) {
		t.Fatalf("%d fit and %d do not; first are %q", len(fit), left, fit[:min(3, len(fit))])
	}
	wanted, _, err := FollowEnforced(Build(Options{Service: &ServiceRef{Namespace: "hardgate", Name: "webhook"}, CABundle: make([]byte, 8<<10)}), nil, fit)
	if err != nil {
		t.Fatal(err)
	}
	if size := wanted.Size(); size > 1400<<10 {
		t.Errorf("it takes %d bytes", size)
	}
	if fit, left := Fit([]string{"a", "kube-system", "kube-node-lease"}, nil); left != 0 || !slices.Equal(fit, []string{"a"}) {
		t.Errorf("fit %q, %d left", fit, left)
	}
}

func TestSelfTest(t *testing.T) {
	workloads := func(c *admissionregistrationv1.ValidatingWebhookConfiguration) *admissionregistrationv1.ValidatingWebhook {
		for i := range c.Webhooks {
			if c.Webhooks[i].Name == "workloads-enforced.hardgate.dev" {
				return &c.Webhooks[i]
			}
		}
		return nil
	}
	tests := map[string]struct {
		change func(*admissionregistrationv1.ValidatingWebhook)
		want   string
	}{
		"nothing":           {func(*admissionregistrationv1.ValidatingWebhook) {}, ""},
		"no selector":       {func(w *admissionregistrationv1.ValidatingWebhook) { w.NamespaceSelector = nil }, "it fails closed in kube-system"},
		"an empty selector": {func(w *admissionregistrationv1.ValidatingWebhook) { w.NamespaceSelector = &metav1.LabelSelector{} }, "it fails closed in hardgate-system"},
		"all but one": {func(w *admissionregistrationv1.ValidatingWebhook) {
			w.NamespaceSelector = names(metav1.LabelSelectorOpNotIn, []string{"kube-system", "hardgate-system"})
		}, "it fails closed in kube-node-lease"},
		"all but two": {func(w *admissionregistrationv1.ValidatingWebhook) {
			w.NamespaceSelector = names(metav1.LabelSelectorOpNotIn, []string{"kube-system", "kube-node-lease", "hardgate-system"})
		}, "it fails closed in kube-public"},
		"a tenant's label": {func(w *admissionregistrationv1.ValidatingWebhook) {
			w.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}}
		}, "by the label team"},
		"everything": {func(w *admissionregistrationv1.ValidatingWebhook) { w.Rules = anyRules() }, "matches every resource"},
		"of the cluster": {func(w *admissionregistrationv1.ValidatingWebhook) {
			w.Rules = append(w.Rules, rule("", admissionregistrationv1.ClusterScope, []string{"nodes"}, create))
		}, "objects of the whole cluster: nodes"},
		"of no scope":         {func(w *admissionregistrationv1.ValidatingWebhook) { w.Rules[0].Scope = nil }, "objects of the whole cluster: pods"},
		"a long wait":         {func(w *admissionregistrationv1.ValidatingWebhook) { w.TimeoutSeconds = new(int32(10)) }, "wait for longer than 3 s"},
		"the default wait":    {func(w *admissionregistrationv1.ValidatingWebhook) { w.TimeoutSeconds = nil }, "wait for longer than 3 s"},
		"the default failure": {func(w *admissionregistrationv1.ValidatingWebhook) { w.FailurePolicy, w.NamespaceSelector = nil, nil }, "it fails closed in kube-system"},
		"open everywhere": {func(w *admissionregistrationv1.ValidatingWebhook) {
			w.FailurePolicy, w.NamespaceSelector = new(ignore), nil
		}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := Build(Options{URL: "https://localhost:1", Enforced: []string{"shop"}})
			tt.change(workloads(c))
			err := SelfTest(c, "hardgate-system")
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func TestFollowEnforced(t *testing.T) {
	o := Options{Service: &ServiceRef{Namespace: "hardgate", Name: "webhook", Port: 8443}, CABundle: []byte("ca"), Enforced: []string{"shop"}, Excluded: []string{"hardgate-leader"}}
	stored := Build(o)
	stored.Webhooks = append(stored.Webhooks, admissionregistrationv1.ValidatingWebhook{Name: "other.example.com"})
	wanted, _, err := FollowEnforced(stored, o.Excluded, []string{"cart", "shop"})
	if err != nil {
		t.Fatal(err)
	}
	same, differs, err := FollowEnforced(wanted, o.Excluded, []string{"shop", "cart"})
	if err != nil || differs {
		t.Errorf("%v; what was followed differs: %s", err, cmp.Diff(wanted, same))
	}
	if _, differs, _ := FollowEnforced(wanted, o.Excluded, []string{"shop"}); !differs {
		t.Error("one namespace less is the same")
	}
	if last := wanted.Webhooks[len(wanted.Webhooks)-1]; last.Name != "other.example.com" {
		t.Errorf("somebody else's webhook is lost: %s", last.Name)
	}
	o.Enforced = []string{"cart", "shop"}
	for i, w := range Build(o).Webhooks {
		if diff := cmp.Diff(w.ClientConfig, wanted.Webhooks[i].ClientConfig); diff != "" {
			t.Error(diff)
		}
	}
	stored.Webhooks = stored.Webhooks[1:]
	if _, _, err := FollowEnforced(stored, nil, nil); err == nil {
		t.Error("a configuration that does not say where the gate is")
	}
}
