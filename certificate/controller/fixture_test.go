package controller

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	certmanagerv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/prometheus/client_golang/prometheus"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/hardgate-dev/hardgate/certificate"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

const namespace = "hardgate-system"

func options() Options {
	return Options{Namespace: namespace, Service: "hardgate-webhook", Certificate: certificate.Config{
		CALifetime: 5 * 365 * 24 * time.Hour, Lifetime: 90 * 24 * time.Hour, Settle: 30 * time.Second, Overlap: time.Hour,
	}}
}

// cluster has both configurations, with a webhook of somebody else in each.
func cluster(t *testing.T, objects ...client.Object) *fake.ClientBuilder {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, admissionregistrationv1.AddToScheme, certmanagerv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithRESTMapper(mapper()).WithObjects(objects...)
}

func registrations() []client.Object {
	o := registration.Options{Service: &registration.ServiceRef{Namespace: namespace, Name: "hardgate-webhook"}, Enforced: []string{"shop"}}
	v, m := registration.Build(o), registration.BuildMutating(o)
	v.UID, m.UID = "uid-of-it", "uid-of-the-other"
	v.Webhooks = append(v.Webhooks, admissionregistrationv1.ValidatingWebhook{Name: "other.example.com", ClientConfig: admissionregistrationv1.WebhookClientConfig{CABundle: []byte("other")}})
	m.Webhooks = append(m.Webhooks, admissionregistrationv1.MutatingWebhook{Name: "other.example.com", ClientConfig: admissionregistrationv1.WebhookClientConfig{CABundle: []byte("other")}})
	return []client.Object{v, m}
}

// issuer is one leader; its Events are those of the recorder.
func issuer(c client.WithWatch) (*Issuer, *record.FakeRecorder) {
	events := record.NewFakeRecorder(100)
	return &Issuer{
		Options: options(), May: func() error { return nil }, client: c, clock: ahead(0), metrics: NewMetrics(prometheus.NewRegistry()), teller: teller{events: events}, pace: newPace(),
	}, events
}

func secret(t *testing.T, c client.Client, name string) *corev1.Secret {
	t.Helper()
	s := &corev1.Secret{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, s); err != nil {
		t.Fatal(err)
	}
	return s
}

// bundlesOf are those of our webhooks, each once.
func bundlesOf(t *testing.T, c client.Client) (different []string) {
	t.Helper()
	all, err := readRegistered(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bundles(all) {
		different = append(different, string(b))
	}
	slices.Sort(different)
	return slices.Compact(different)
}

func told(events *record.FakeRecorder) (all []string) {
	for {
		select {
		case e := <-events.Events:
			all = append(all, strings.Join(strings.Fields(e)[:2], " "))
		default:
			return all
		}
	}
}

// between calls do once, before the first write that when accepts.
func between(b *fake.ClientBuilder, when func(client.Object) bool, do func(client.WithWatch)) client.WithWatch {
	done := false
	once := func(c client.WithWatch, o client.Object) {
		if !done && when(o) {
			done = true
			do(c)
		}
	}
	return b.WithInterceptorFuncs(interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			once(c, o)
			return c.Create(ctx, o, opts...)
		},
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			once(c, o)
			return c.Update(ctx, o, opts...)
		},
	}).Build()
}

func named(name string) func(client.Object) bool {
	return func(o client.Object) bool { return o.GetName() == name }
}

func inOwn(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: namespace, Name: name} }
