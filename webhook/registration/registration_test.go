package registration

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
)

var rewrite = flag.Bool("update", false, "write the golden files")

// tests are ways to install the gate.
var tests = map[string]Options{
	"service": {Service: &ServiceRef{Namespace: "hardgate", Name: "webhook"}, CABundle: []byte("ca")},
	"service-enforced": {
		Service: &ServiceRef{Namespace: "hardgate", Name: "webhook", Port: 8443}, CABundle: []byte("ca"),
		Enforced: []string{"shop", "cart", "shop"}, Excluded: []string{"calico-system"},
	},
	"url":              {URL: "https://localhost:9443", CABundle: []byte("ca"), Enforced: []string{"shop"}},
	"default-enforced": {URL: "https://localhost:9443", Enforced: []string{"default"}},
	"default-excluded": {URL: "https://localhost:9443", Excluded: []string{"default", "shop"}},
	"in-default":       {Service: &ServiceRef{Namespace: "default", Name: "webhook"}, Enforced: []string{"shop"}},
	"enforced-against-itself": {
		Service: &ServiceRef{Namespace: "hardgate", Name: "webhook"}, Enforced: []string{"kube-system", "hardgate", "calico-system", "shop"}, Excluded: []string{"calico-system"},
	},
	"repaired":                   {URL: "https://localhost:9443", Repaired: Repaired{Namespaces: []string{"shop", "cart"}, Accounts: true}},
	"repaired-everywhere":        {Service: &ServiceRef{Namespace: "hardgate", Name: "webhook"}, Repaired: Repaired{Everywhere: true, Accounts: true}},
	"kube-system-excluded-twice": {Service: &ServiceRef{Namespace: "kube-system", Name: "webhook"}, Excluded: []string{"kube-system"}},
}

func each(t *testing.T, test func(t *testing.T, o Options, webhooks map[string]admissionregistrationv1.ValidatingWebhook)) {
	t.Helper()
	for name, o := range tests {
		t.Run(name, func(t *testing.T) {
			webhooks := map[string]admissionregistrationv1.ValidatingWebhook{}
			for _, w := range Build(o).Webhooks {
				short, found := strings.CutSuffix(w.Name, ".hardgate.dev")
				if _, twice := webhooks[short]; twice || !found || len(validation.IsDNS1123Subdomain(w.Name)) > 0 {
					t.Errorf("a webhook called %s", w.Name)
				}
				webhooks[short] = w
			}
			test(t, o, webhooks)
		})
	}
}

// selects is whether a webhook is called for a namespace of this name. What else a
// tenant writes on the namespace must not matter, so it is asked with all sorts of
// labels.
func selects(t *testing.T, w *admissionregistrationv1.ValidatingWebhook, namespace string) bool {
	t.Helper()
	selector, err := metav1.LabelSelectorAsSelector(w.NamespaceSelector)
	if err != nil {
		t.Fatal(err)
	}
	if w.NamespaceSelector == nil { // the API server makes {} of it
		selector = labels.Everything()
	}
	var answers []bool
	for _, tenants := range []labels.Set{
		nil, {"name": "kube-system"}, {"control-plane": "true", "hardgate.dev/ignore": "true"}, {"admission.hardgate.dev/mode": "off", "pod-security.kubernetes.io/enforce": "privileged"},
	} {
		answers = append(answers, selector.Matches(labels.Merge(tenants, labels.Set{"kubernetes.io/metadata.name": namespace})))
	}
	if slices.Contains(answers, !answers[0]) {
		t.Errorf("%s: a tenant's labels on %s matter", w.Name, namespace)
	}
	return answers[0]
}

func namespaced(w *admissionregistrationv1.ValidatingWebhook) bool {
	return slices.ContainsFunc(w.Rules, func(r admissionregistrationv1.RuleWithOperations) bool {
		return r.Scope == nil || *r.Scope != admissionregistrationv1.ClusterScope
	})
}

// Every namespace has one webhook for its workloads, the excluded ones have none;
// enforced namespaces fail closed and all others open.
func TestNamespaces(t *testing.T) {
	each(t, func(t *testing.T, o Options, webhooks map[string]admissionregistrationv1.ValidatingWebhook) {
		t.Helper()
		for _, namespace := range []string{"kube-system", "kube-public", "default", "hardgate", "hardgate2", "shop", "cart", "calico-system", "kube-system-2", "a"} {
			excluded := namespace == "kube-system" || o.Service != nil && o.Service.Namespace == namespace || slices.Contains(o.Excluded, namespace)
			enforced := !excluded && slices.Contains(o.Enforced, namespace)
			var called []string
			for name, w := range webhooks {
				if !namespaced(&w) || !selects(t, &w, namespace) {
					continue
				}
				called = append(called, name)
				// What matches every kind never fails closed.
				if closed := *w.FailurePolicy == admissionregistrationv1.Fail; closed != (enforced && name != "namespaced") {
					t.Errorf("%s: %s has failurePolicy %s", namespace, name, *w.FailurePolicy)
				}
			}
			var want []string
			if !excluded {
				want = []string{"roles", "workloads"}
				if enforced {
					want = []string{"roles-enforced", "workloads-enforced"}
				}
				if namespace == "default" {
					want = append([]string{"namespaced"}, want...)
				}
			}
			slices.Sort(called)
			if diff := cmp.Diff(want, called); diff != "" {
				t.Errorf("%s calls (-want +got):\n%s", namespace, diff)
			}
		}
	})
}

// No webhook costs the API server much, changes anything or waits for long.
func TestBounds(t *testing.T) {
	each(t, func(t *testing.T, o Options, webhooks map[string]admissionregistrationv1.ValidatingWebhook) {
		t.Helper()
		for name, w := range webhooks {
			if w.TimeoutSeconds == nil || *w.TimeoutSeconds < 1 || *w.TimeoutSeconds > 3 {
				t.Errorf("%s waits for %v s", name, w.TimeoutSeconds)
			}
			if *w.SideEffects != admissionregistrationv1.SideEffectClassNone || *w.MatchPolicy != admissionregistrationv1.Equivalent || !slices.Equal(w.AdmissionReviewVersions, []string{"v1"}) {
				t.Errorf("%s: %s, %s, %v", name, *w.SideEffects, *w.MatchPolicy, w.AdmissionReviewVersions)
			}
			if w.ObjectSelector != nil || len(w.MatchConditions) > 64 {
				t.Errorf("%s: an objectSelector, or %d conditions", name, len(w.MatchConditions))
			}
			if !bytes.Equal(w.ClientConfig.CABundle, o.CABundle) {
				t.Errorf("%s: CA %q", name, w.ClientConfig.CABundle)
			}
			path := map[string]string{"self-test": "/self-test", "policies": "/validate-policy", "workloads": "/validate", "workloads-enforced": "/validate", "roles": "/validate", "roles-enforced": "/validate", "namespaced": "/validate-namespaced"}[name]
			if c := w.ClientConfig; o.Service != nil {
				port := max(o.Service.Port, 443)
				want := &admissionregistrationv1.ServiceReference{Namespace: o.Service.Namespace, Name: o.Service.Name, Path: &path, Port: &port}
				if diff := cmp.Diff(want, c.Service); diff != "" || c.URL != nil {
					t.Errorf("%s: URL %v, Service (-want +got):\n%s", name, c.URL, diff)
				}
			} else if c.Service != nil || *c.URL != o.URL+path {
				t.Errorf("%s: %+v", name, c)
			}
		}
	})
}

// Everything is asked for by name, except in the one namespace where every kind
// counts, and subresources are never asked for by a wildcard.
func TestWildcards(t *testing.T) {
	each(t, func(t *testing.T, _ Options, webhooks map[string]admissionregistrationv1.ValidatingWebhook) {
		t.Helper()
		for name, w := range webhooks {
			for _, r := range w.Rules {
				wild := slices.ContainsFunc(slices.Concat(r.APIGroups, r.Resources), func(s string) bool { return strings.Contains(s, "*") })
				if slices.Contains(r.Resources, "*/*") || slices.Contains(r.Operations, admissionregistrationv1.OperationAll) || r.Scope == nil {
					t.Errorf("%s: %+v", name, r)
				}
				if !wild {
					continue
				}
				if name != "namespaced" || *r.Scope != admissionregistrationv1.NamespacedScope || !slices.Equal(r.Operations, []admissionregistrationv1.OperationType{admissionregistrationv1.Create}) {
					t.Errorf("%s has a wildcard: %+v", name, r)
				}
			}
		}
		w, ok := webhooks["namespaced"]
		if !ok {
			return
		}
		want := &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
			{Key: "kubernetes.io/metadata.name", Operator: metav1.LabelSelectorOpIn, Values: []string{"default"}},
		}}
		if diff := cmp.Diff(want, w.NamespaceSelector); diff != "" {
			t.Errorf("namespaced (-want +got):\n%s", diff)
		}
	})
}

// Every kind that carries a pod is asked for at its creation and its update, and
// pods by the subresources that change them: a rule on pods does not match those.
func TestWorkloadRules(t *testing.T) {
	want := map[string]string{
		"/v1 pods": "CREATE UPDATE", "/v1 podtemplates": "CREATE UPDATE", "/v1 replicationcontrollers": "CREATE UPDATE", "/v1 serviceaccounts": "CREATE UPDATE",
		"/v1 pods/ephemeralcontainers": "UPDATE", "/v1 pods/resize": "UPDATE",
		"apps/v1 deployments": "CREATE UPDATE", "apps/v1 replicasets": "CREATE UPDATE", "apps/v1 statefulsets": "CREATE UPDATE", "apps/v1 daemonsets": "CREATE UPDATE",
		"batch/v1 jobs": "CREATE UPDATE", "batch/v1 cronjobs": "CREATE UPDATE",
	}
	each(t, func(t *testing.T, _ Options, webhooks map[string]admissionregistrationv1.ValidatingWebhook) {
		t.Helper()
		for _, name := range []string{"workloads", "workloads-enforced"} {
			w, ok := webhooks[name]
			if !ok {
				continue
			}
			if diff := cmp.Diff(want, asked(w.Rules)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			for _, r := range w.Rules {
				if *r.Scope != admissionregistrationv1.NamespacedScope {
					t.Errorf("%s has scope %s", name, *r.Scope)
				}
			}
		}
		if _, ok := webhooks["workloads"]; !ok {
			t.Error("no webhook for workloads")
		}
		policies := webhooks["policies"]
		own := map[string]string{}
		for _, resource := range []string{"workloadpolicies", "nodepolicies", "exemptions"} {
			own[v1alpha1.GroupVersion.Group+"/* "+resource] = "CREATE UPDATE"
		}
		if diff := cmp.Diff(own, asked(policies.Rules)); diff != "" || namespaced(&policies) {
			t.Errorf("policies, namespaced %v (-want +got):\n%s", namespaced(&policies), diff)
		}
	})
}

// Roles are asked for wherever they stand. What has no namespace never fails closed, and
// what the cluster writes of its own is not even waited for.
func TestRoleRules(t *testing.T) {
	everywhere := map[string]string{
		"rbac.authorization.k8s.io/v1 roles": "CREATE UPDATE", "rbac.authorization.k8s.io/v1 rolebindings": "CREATE UPDATE",
		"rbac.authorization.k8s.io/v1 clusterroles": "CREATE UPDATE", "rbac.authorization.k8s.io/v1 clusterrolebindings": "CREATE UPDATE",
	}
	enforced := map[string]string{"rbac.authorization.k8s.io/v1 roles": "CREATE UPDATE", "rbac.authorization.k8s.io/v1 rolebindings": "CREATE UPDATE"}
	own := `!(request.userInfo.username in ["system:apiserver", "system:kube-controller-manager", "system:serviceaccount:kube-system:clusterrole-aggregation-controller"])`
	each(t, func(t *testing.T, _ Options, webhooks map[string]admissionregistrationv1.ValidatingWebhook) {
		t.Helper()
		if _, ok := webhooks["roles"]; !ok {
			t.Error("no webhook for roles")
		}
		for name, want := range map[string]map[string]string{"roles": everywhere, "roles-enforced": enforced} {
			w, ok := webhooks[name]
			if !ok {
				continue
			}
			if diff := cmp.Diff(want, asked(w.Rules)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			if len(w.MatchConditions) != 1 || w.MatchConditions[0].Expression != own {
				t.Errorf("%s: conditions %v", name, w.MatchConditions)
			}
			for _, r := range w.Rules {
				if *r.Scope == admissionregistrationv1.ClusterScope && *w.FailurePolicy != admissionregistrationv1.Ignore {
					t.Errorf("%s fails closed on %v", name, r.Resources)
				}
			}
		}
	})
}

// asked is which operations are asked for, by group, version and resource.
func asked(rules []admissionregistrationv1.RuleWithOperations) map[string]string {
	all := map[string]string{}
	for _, r := range rules {
		for _, group := range r.APIGroups {
			for _, version := range r.APIVersions {
				for _, resource := range r.Resources {
					var operations []string
					for _, o := range r.Operations {
						operations = append(operations, string(o))
					}
					slices.Sort(operations)
					key := fmt.Sprintf("%s/%s %s", group, version, resource)
					all[key] = strings.TrimSpace(all[key] + " " + strings.Join(operations, " "))
				}
			}
		}
	}
	return all
}

// What the workload webhook brings is kept away from the one for every kind, and
// nothing else of those groups is.
func TestNamespacedConditions(t *testing.T) {
	var expressions []string
	names := map[string]bool{}
	for _, w := range Build(tests["service"]).Webhooks {
		for _, c := range w.MatchConditions {
			if names[w.Name+c.Name] || len(validation.IsQualifiedName(c.Name)) > 0 {
				t.Errorf("a condition called %q", c.Name)
			}
			names[w.Name+c.Name] = true
			if w.Name == "namespaced.hardgate.dev" {
				expressions = append(expressions, c.Expression)
			}
		}
	}
	want := []string{
		`!(request.resource.group in ["", "events.k8s.io"] && request.resource.resource == "events")`,
		`!(request.resource.group == "authorization.k8s.io" || request.resource.group == "" && request.resource.resource == "bindings")`,
		`!(request.resource.group == "" && request.resource.resource in ["pods", "podtemplates", "replicationcontrollers", "serviceaccounts"])`,
		`!(request.resource.group == "apps" && request.resource.resource in ["deployments", "replicasets", "statefulsets", "daemonsets"])`,
		`!(request.resource.group == "batch" && request.resource.resource in ["jobs", "cronjobs"])`,
		`request.resource.group != "rbac.authorization.k8s.io"`,
	}
	if diff := cmp.Diff(want, expressions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Build is a function of its options, which it does not change.
func TestBuildIsPure(t *testing.T) {
	o := Options{URL: "https://localhost:9443", Enforced: make([]string, 0, 8), Excluded: make([]string, 0, 8)}
	o.Enforced, o.Excluded = append(o.Enforced, "b", "a", "b"), append(o.Excluded, "z", "y")
	first := Build(o)
	if !slices.Equal(o.Enforced, []string{"b", "a", "b"}) || !slices.Equal(o.Excluded, []string{"z", "y"}) {
		t.Errorf("the options are %+v now", o)
	}
	o.Enforced, o.Excluded = []string{"a", "b"}, []string{"y", "z"}
	if diff := cmp.Diff(first, Build(o)); diff != "" {
		t.Errorf("in another order (-first +second):\n%s", diff)
	}
	want := first.DeepCopy()
	for _, w := range first.Webhooks {
		*w.FailurePolicy, *w.TimeoutSeconds, *w.SideEffects = "changed", 30, "changed"
		for _, r := range w.Rules {
			r.Resources[0], r.APIGroups[0], r.Operations[0], *r.Scope = "changed", "changed", "changed", "changed"
		}
	}
	if diff := cmp.Diff(want, Build(o)); diff != "" {
		t.Errorf("a caller's change is seen by the next caller (-want +got):\n%s", diff)
	}
}

func TestGolden(t *testing.T) {
	files, err := fs.Glob(os.DirFS("testdata"), "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name, ok := strings.CutSuffix(file, ".yaml"); !ok || tests[name].URL == "" && tests[name].Service == nil {
			t.Errorf("testdata/%s belongs to no test", file)
		}
	}
	for name, o := range tests {
		t.Run(name, func(t *testing.T) {
			judging, err := yaml.Marshal(Build(o))
			if err != nil {
				t.Fatal(err)
			}
			changing, err := yaml.Marshal(BuildMutating(o))
			if err != nil {
				t.Fatal(err)
			}
			got := slices.Concat(judging, []byte("---\n"), changing)
			file := filepath.Join("testdata", name+".yaml")
			if *rewrite {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
