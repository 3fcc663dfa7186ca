package controller

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	logzap "sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// One round is all that a first installation takes, and the next changes nothing.
func TestFirstRound(t *testing.T) {
	c := cluster(t, registrations()...).Build()
	i, events := issuer(c)
	for range 2 {
		if err := i.round(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ca, served := secret(t, c, CASecret), secret(t, c, ServingSecret)
	if diff := cmp.Diff([]string{string(ca.Data["tls.crt"])}, bundlesOf(t, c)); diff != "" {
		t.Errorf("bundles (-want +got):\n%s", diff)
	}
	if ca.Type != corev1.SecretTypeTLS || served.Type != corev1.SecretTypeTLS || !bytes.Equal(served.Data["ca.crt"], ca.Data["tls.crt"]) {
		t.Errorf("types %s and %s", ca.Type, served.Type)
	}
	if diff := cmp.Diff([]string{"Normal AuthorityMade", "Normal CertificateIssued", "Normal BundleInjected"}, told(events)); diff != "" {
		t.Error(diff)
	}
	v := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	if err := c.Get(t.Context(), client.ObjectKey{Name: "hardgate"}, v); err != nil {
		t.Fatal(err)
	}
	if last := v.Webhooks[len(v.Webhooks)-1]; string(last.ClientConfig.CABundle) != "other" {
		t.Errorf("%s has got our bundle", last.Name)
	}
	for _, what := range []string{authority, serving} {
		if n := testutil.ToFloat64(i.metrics.renewed.WithLabelValues(what)); n != 1 {
			t.Errorf("%s was renewed %g times", what, n)
		}
		if end := testutil.ToFloat64(i.metrics.expiry.WithLabelValues(what)); end < float64(time.Now().Add(80*24*time.Hour).Unix()) {
			t.Errorf("%s ends at %g", what, end)
		}
	}
	if at := i.teller.about(); at.UID != "uid-of-it" {
		t.Errorf("Events are about %v", at)
	}
}

// Two that believe to lead at the same time end with one authority, whoever is first, at
// every write.
func TestTwoAtOnce(t *testing.T) {
	for _, name := range []string{CASecret, ServingSecret, registration.Name} {
		t.Run(name, func(t *testing.T) {
			var other *Issuer
			c := between(cluster(t, registrations()...), named(name), func(plain client.WithWatch) {
				other, _ = issuer(plain)
				if err := other.round(t.Context()); err != nil {
					t.Error(err)
				}
			})
			i, _ := issuer(c)
			if err := i.round(t.Context()); err != nil {
				t.Fatal(err)
			}
			made := testutil.ToFloat64(i.metrics.renewed.WithLabelValues(authority)) + testutil.ToFloat64(other.metrics.renewed.WithLabelValues(authority))
			if made != 1 {
				t.Errorf("%g authorities were made", made)
			}
			if got, want := bundlesOf(t, c), string(secret(t, c, CASecret).Data["tls.crt"]); !slices.Equal(got, []string{want}) {
				t.Errorf("bundles %q", got)
			}
			if n := testutil.CollectAndCount(i.metrics.writes, "hardgate_certificate_writes_total"); n == 0 {
				t.Error("nothing is counted")
			}
		})
	}
}

// What the audit changes in a registration between reading and writing is kept.
func TestRegistrationChangesMeanwhile(t *testing.T) {
	c := between(cluster(t, registrations()...), named(registration.Name), func(plain client.WithWatch) {
		v := &admissionregistrationv1.ValidatingWebhookConfiguration{}
		if err := plain.Get(t.Context(), client.ObjectKey{Name: registration.Name}, v); err != nil {
			t.Error(err)
			return
		}
		wanted, differs, err := registration.FollowEnforced(v, []string{namespace}, []string{"cart", "shop"})
		if err != nil || !differs {
			t.Errorf("differs %v, %v", differs, err)
		}
		if err := plain.Update(t.Context(), wanted); err != nil {
			t.Error(err)
		}
	})
	i, _ := issuer(c)
	if err := i.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	v := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	if err := c.Get(t.Context(), client.ObjectKey{Name: registration.Name}, v); err != nil {
		t.Fatal(err)
	}
	if closed := registration.Closed(v); !slices.Equal(closed, []string{"cart", "shop"}) {
		t.Errorf("closed are %q: what the audit wrote is lost", closed)
	}
	if got := bundlesOf(t, c); len(got) != 1 || got[0] == "" {
		t.Errorf("bundles %q", got)
	}
	if n := testutil.ToFloat64(i.metrics.writes.WithLabelValues("inject", conflict)); n != 1 {
		t.Errorf("%g conflicts", n)
	}
	// The audit that looks now has nothing to do: both agree about what is stored.
	if _, differs, err := registration.FollowEnforced(v, []string{namespace}, []string{"cart", "shop"}); err != nil {
		t.Error(err)
	} else if differs {
		// The fake does not default what the API server does; what must not differ is the bundle.
		wanted, _, _ := registration.FollowEnforced(v, []string{namespace}, []string{"cart", "shop"})
		for n := range wanted.Webhooks {
			if !bytes.Equal(wanted.Webhooks[n].ClientConfig.CABundle, v.Webhooks[n].ClientConfig.CABundle) {
				t.Errorf("the audit changes the bundle of %s", v.Webhooks[n].Name)
			}
		}
	}
}

func TestWhatIsInTheWay(t *testing.T) {
	annotated := registrations()
	annotated[1].SetAnnotations(map[string]string{"cert-manager.io/inject-ca-from": "hardgate-system/hardgate-webhook"})
	for name, c := range map[string]struct {
		objects []client.Object
		may     error
		want    string
	}{
		"cert-manager injects": {objects: annotated, want: "cert-manager is asked to inject the bundle of MutatingWebhookConfiguration hardgate: start the controller with --certificates=cert-manager"},
		"another may lead":     {objects: registrations(), may: errors.New("another may lead"), want: "another may lead"},
	} {
		t.Run(name, func(t *testing.T) {
			store := cluster(t, c.objects...).Build()
			i, events := issuer(store)
			i.May = func() error { return c.may }
			for range 2 {
				err := i.round(t.Context())
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("%v", err)
				}
				i.metrics.found(err)
				i.teller.problem(t.Context(), err)
			}
			var all corev1.SecretList
			if err := store.List(t.Context(), &all); err != nil || len(all.Items) > 0 {
				t.Errorf("%v; %d Secrets are written", err, len(all.Items))
			}
			if got := told(events); !slices.Equal(got, []string{"Warning CertificateProblem"}) {
				t.Errorf("told are %q", got)
			}
			if testutil.ToFloat64(i.metrics.failed) != 2 || testutil.ToFloat64(i.metrics.ready.WithLabelValues()) != 0 {
				t.Error("the metrics say nothing of it")
			}
		})
	}
}

// A Secret that cert-manager made is taken over: what it says of cert-manager goes, and
// what others say of it stays. So does the trust in what is served.
func TestTakingOver(t *testing.T) {
	first := cluster(t, registrations()...).Build()
	i, _ := issuer(first)
	if err := i.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	left := &corev1.Secret{ObjectMeta: inOwn(ServingSecret), Type: corev1.SecretTypeTLS, Data: secret(t, first, ServingSecret).Data}
	left.Annotations = map[string]string{"cert-manager.io/certificate-name": "hardgate-webhook", "example.com/kept": "yes"}
	objects := registrations()
	for _, w := range objects[0].(*admissionregistrationv1.ValidatingWebhookConfiguration).Webhooks {
		w.ClientConfig.CABundle = nil
	}
	v := objects[0].(*admissionregistrationv1.ValidatingWebhookConfiguration)
	v.Webhooks[0].ClientConfig.CABundle = left.Data["ca.crt"]
	c := cluster(t, append(objects, left)...).Build()
	i, _ = issuer(c)
	i.Certificate.Settle = 0
	if err := i.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := secret(t, c, ServingSecret)
	if diff := cmp.Diff(map[string]string{"example.com/kept": "yes"}, now.Annotations); diff != "" || bytes.Equal(now.Data["tls.crt"], left.Data["tls.crt"]) {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
	if got := bundlesOf(t, c); len(got) != 1 || !strings.Contains(got[0], string(left.Data["ca.crt"])) {
		t.Error("what is served is not trusted any more")
	}
}

// A bundle that somebody takes out is back without waiting for the next look.
func TestWakesUp(t *testing.T) {
	c := cluster(t, registrations()...).Build()
	i, _ := issuer(c)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- i.Start(ctx) }()
	whole := func() bool {
		got := bundlesOf(t, c)
		return len(got) == 1 && got[0] != ""
	}
	await(t, whole)
	time.Sleep(100 * time.Millisecond) // the watches begin
	v := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	if err := c.Get(ctx, client.ObjectKey{Name: registration.Name}, v); err != nil {
		t.Fatal(err)
	}
	for n := range v.Webhooks {
		v.Webhooks[n].ClientConfig.CABundle = nil
	}
	if err := c.Update(ctx, v); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	await(t, whole)
	if took := time.Since(began); took > tick/2 {
		t.Errorf("it took %s", took)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func await(t *testing.T, good func() bool) {
	t.Helper()
	for range 800 {
		if good() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it did not come to that")
}

// Nothing of a key is logged, whatever is done and whatever is wrong.
func TestLogsNoKey(t *testing.T) {
	var log bytes.Buffer
	ctx := logf.IntoContext(t.Context(), logzap.New(logzap.WriteTo(io.Writer(&log)), logzap.UseDevMode(true)))
	c := cluster(t, registrations()...).Build()
	i, events := issuer(c)
	keys := [][]byte{}
	for _, spoil := range []func(*corev1.Secret){
		func(*corev1.Secret) {},
		func(s *corev1.Secret) { s.Data["tls.key"] = s.Data["tls.key"][:100] },
		func(s *corev1.Secret) { s.Data["tls.crt"] = s.Data["tls.key"] },
	} {
		for _, name := range []string{CASecret, ServingSecret} {
			i.teller.problem(ctx, i.round(ctx))
			s := secret(t, c, name)
			keys = append(keys, bytes.Split(s.Data["tls.key"], []byte("\n"))[1])
			spoil(s)
			if err := c.Update(ctx, s); err != nil {
				t.Fatal(err)
			}
			i.teller.problem(ctx, i.round(ctx))
		}
	}
	if log.Len() == 0 {
		t.Fatal("nothing is logged")
	}
	close(events.Events)
	for e := range events.Events {
		log.WriteString(e)
	}
	for _, key := range keys {
		if bytes.Contains(log.Bytes(), key[:20]) {
			t.Errorf("a key is logged:\n%s", log.String())
		}
	}
}
