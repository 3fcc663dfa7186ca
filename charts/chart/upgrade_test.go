package chart_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/fake"

	"github.com/hardgate-dev/hardgate/charts/chart"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// standing is what a cluster has that the chart's templates look up.
type standing struct{ client dynamic.Interface }

var lookedUp = map[string]schema.GroupVersionResource{
	"ValidatingWebhookConfiguration": admissionregistrationv1.SchemeGroupVersion.WithResource("validatingwebhookconfigurations"),
	"Secret":                         {Version: "v1", Resource: "secrets"},
	"WorkloadPolicy":                 {Group: "hardgate.dev", Version: "v1alpha1", Resource: "workloadpolicies"},
	"NodePolicy":                     {Group: "hardgate.dev", Version: "v1alpha1", Resource: "nodepolicies"},
	"Exemption":                      {Group: "hardgate.dev", Version: "v1alpha1", Resource: "exemptions"},
}

// GetClientFor implements engine.ClientProvider.
func (s standing) GetClientFor(_, kind string) (dynamic.NamespaceableResourceInterface, bool, error) {
	r, known := lookedUp[kind]
	if !known {
		return nil, false, &meta.NoKindMatchError{GroupKind: schema.GroupKind{Kind: kind}}
	}
	return s.client.Resource(r), kind == "Secret", nil
}

func cluster(t *testing.T, objects ...runtime.Object) standing {
	t.Helper()
	kinds := map[schema.GroupVersionResource]string{}
	for kind, r := range lookedUp {
		kinds[r] = kind + "List"
	}
	var plain []runtime.Object
	for _, o := range objects {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		if err != nil {
			t.Fatal(err)
		}
		plain = append(plain, &unstructured.Unstructured{Object: content})
	}
	return standing{fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, plain...)}
}

// installed is a cluster with the CRDs.
func installed(s standing) chart.Options {
	return chart.Options{Upgrade: true, Cluster: s, APIVersions: []string{
		"hardgate.dev/v1alpha1", "hardgate.dev/v1alpha1/WorkloadPolicy", "hardgate.dev/v1alpha1/NodePolicy", "hardgate.dev/v1alpha1/Exemption",
	}}
}

// An upgrade takes back nothing of what the controller has widened, or namespaces that are
// enforced would be asked about twice, and server-side apply would find a conflict. The
// authority is not the chart's to write.
func TestUpgradeKeepsTheRegistration(t *testing.T) {
	enforced := base
	enforced.Enforced, enforced.CABundle = []string{"shop"}, []byte("the authority")
	stored := registration.Build(enforced)
	other := admissionregistrationv1.ValidatingWebhook{Name: "somebody.example.com"}
	stored.Webhooks = append(stored.Webhooks, other)

	all := objects(t, render(t, installed(cluster(t, stored))))
	got := find[*admissionregistrationv1.ValidatingWebhookConfiguration](t, all, registration.Name)
	enforced.CABundle = nil
	if diff := cmp.Diff(registration.Build(enforced).Webhooks, got.Webhooks); diff != "" {
		t.Errorf("the upgrade changes what is enforced:\n%s", diff)
	}
}

// One that has lost what it cannot work without is made anew.
func TestUpgradeMendsTheRegistration(t *testing.T) {
	stored := registration.Build(base)
	stored.Webhooks = slices.DeleteFunc(stored.Webhooks, func(w admissionregistrationv1.ValidatingWebhook) bool { return w.Name == "policies.hardgate.dev" })
	all := objects(t, render(t, installed(cluster(t, stored))))
	got := find[*admissionregistrationv1.ValidatingWebhookConfiguration](t, all, registration.Name)
	if diff := cmp.Diff(registration.Build(base).Webhooks, got.Webhooks); diff != "" {
		t.Errorf("it is not as it was:\n%s", diff)
	}
}

func object(apiVersion, kind, namespace, name string, annotations map[string]string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetAPIVersion(apiVersion)
	u.SetKind(kind)
	u.SetNamespace(namespace)
	u.SetName(name)
	u.SetAnnotations(annotations)
	return u
}

// What is there is the cluster's; what is missing is made before the API server asks the
// webhook about it.
func TestUpgradeLeavesPoliciesAlone(t *testing.T) {
	s := cluster(t, object("hardgate.dev/v1alpha1", "WorkloadPolicy", "", "hardgate-default", nil),
		object("hardgate.dev/v1alpha1", "Exemption", "", "hardgate-webhook", nil))
	var made []string
	for _, o := range objects(t, render(t, installed(s))) {
		m, err := meta.Accessor(o)
		if err != nil {
			t.Fatal(err)
		}
		kind := o.GetObjectKind().GroupVersionKind()
		if kind.Group != "hardgate.dev" {
			continue
		}
		made = append(made, kind.Kind+" "+m.GetName())
		if got := m.GetAnnotations()["helm.sh/hook"]; got != "pre-install,pre-upgrade" {
			t.Errorf("%s is made when %q, after the API server asks the webhook about it", m.GetName(), got)
		}
	}
	slices.Sort(made)
	want := []string{
		"Exemption hardgate-controller", "Exemption hardgate-controller-events", "Exemption hardgate-controller-registration",
		"Exemption hardgate-nodecheck", "NodePolicy hardgate-default",
	}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("other objects are made:\n%s", diff)
	}
}

// An authority that the controller has made is not left because cert-manager comes: who
// wants to change says so.
func TestIssuer(t *testing.T) {
	const certManager = "cert-manager.io/v1"
	builtinCA := object("v1", "Secret", "hardgate-system", "hardgate-ca", nil)
	managedCA := object("v1", "Secret", "hardgate-system", "hardgate-ca", map[string]string{"cert-manager.io/certificate-name": "hardgate-ca"})
	builtin, byCertManager := registration.Build(base), registration.Build(base)
	byCertManager.Annotations = map[string]string{"cert-manager.io/inject-ca-from": "hardgate-system/hardgate-webhook"}
	tests := map[string]struct {
		options chart.Options
		want    string
	}{
		"neither":                      {chart.Options{}, "builtin"},
		"cert-manager is there":        {chart.Options{APIVersions: []string{certManager}}, "cert-manager"},
		"it comes later":               {chart.Options{APIVersions: []string{certManager}, Cluster: cluster(t, builtinCA)}, "builtin"},
		"it has made the authority":    {chart.Options{APIVersions: []string{certManager}, Cluster: cluster(t, managedCA)}, "cert-manager"},
		"it comes later and is wanted": {chart.Options{APIVersions: []string{certManager}, Cluster: cluster(t, builtinCA), Values: values(t, "certificates: {issuer: cert-manager}")}, "cert-manager"},
		"the authority is lost":        {chart.Options{APIVersions: []string{certManager}, Cluster: cluster(t, builtin)}, "builtin"},
		"the authority was another's":  {chart.Options{APIVersions: []string{certManager}, Cluster: cluster(t, builtin, managedCA)}, "builtin"},
		"the authority is another's":   {chart.Options{APIVersions: []string{certManager}, Cluster: cluster(t, byCertManager, builtinCA)}, "cert-manager"},
		"cert-manager has gone":        {chart.Options{Cluster: cluster(t, byCertManager, managedCA)}, "builtin"},
		"it is not wanted":             {chart.Options{APIVersions: []string{certManager}, Values: values(t, "certificates: {issuer: builtin}")}, "builtin"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			all := objects(t, render(t, tt.options))
			args := templates(t, all)["hardgate-controller"].Spec.Containers[0].Args
			if !slices.Contains(args, "--certificates="+tt.want) {
				t.Errorf("the controller has the arguments %q, want that of %s", args, tt.want)
			}
			v := find[*admissionregistrationv1.ValidatingWebhookConfiguration](t, all, registration.Name)
			m := find[*admissionregistrationv1.MutatingWebhookConfiguration](t, all, registration.Name)
			for _, o := range []metav1.Object{v, m} {
				injected := o.GetAnnotations()["cert-manager.io/inject-ca-from"] == "hardgate-system/hardgate-webhook"
				if injected != (tt.want == "cert-manager") {
					t.Errorf("cert-manager is asked for the authority: %v", injected)
				}
			}
		})
	}
}
