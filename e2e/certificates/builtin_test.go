package certificates

import (
	"context"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/certificate"
	"github.com/hardgate-dev/hardgate/e2e/controller"
)

// often are the flags of a controller that looks more often than one at work.
var often = []string{"--audit-interval", "5s", "--audit-tick", "500ms"}

// lead starts a replica of the controller.
func lead(t *testing.T, name string, flags ...string) *controller.Controller {
	t.Helper()
	return started(t, name, func() (*controller.Controller, error) {
		return controller.StartBuilt(t.Context(), lab.cluster, controller.Built{Name: name, Path: lab.controller}, slices.Concat(often, flags)...)
	})
}

// started starts a controller that ends with the test.
func started(t *testing.T, name string, start func() (*controller.Controller, error)) *controller.Controller {
	t.Helper()
	c, err := start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s:\n%s", name, c.Log())
		}
		if err := c.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return c
}

// flags are those of the built-in issuer. A replica serves a certificate at most 5 s after it
// is stored: 3 s by the kubelet of the test, and 2 s until the webhook looks.
var flags = []string{"--certificates", "builtin", "--certificate-settle", "2s", "--certificate-overlap", "6s"}

// TestBuiltin: a certificate is stored that has grown old, then an authority of an old
// backup; both Secrets are deleted, and the leader is killed before it has made the next
// certificate. All of it under load: no request is lost, and at no moment is a bundle stored
// that refuses what a replica serves.
func TestBuiltin(t *testing.T) {
	s := serve(t)
	register(t, s)
	brief := append(slices.Clone(flags), "--lease-duration", "8s") // the next leader is waited for
	first := lead(t, "controller", brief...)
	await(t, "the bundles are stored", func() bool {
		bundles, err := stored(t.Context())
		return err == nil && len(bundles) == 1 && bundles[0] != ""
	})
	s.ready(t)
	enforce(t, "builtin")
	second := lead(t, "controller-2", brief...)

	stopLoad, stopProbe := load(t, "builtin"), probe(t, s)
	old := certificate.State{CA: secret(t, authoritySecret)}
	restore(t, servingSecret, made(t, certificate.Issue, old, 61*24*time.Hour).Serving)
	await(t, "an old certificate is renewed", func() bool { return wrote(t, first, "issue") == 2 })
	restore(t, authoritySecret, made(t, certificate.MakeCA, certificate.State{}, 4*365*24*time.Hour).CA)
	await(t, "an old authority is replaced", func() bool { return wrote(t, first, "make-ca") == 2 && wrote(t, first, "issue") == 3 })
	for _, name := range []string{authoritySecret, servingSecret} {
		if err := lab.admin.CoreV1().Secrets(controller.Namespace).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "another authority is made", func() bool { return wrote(t, first, "make-ca") >= 3 })
	if err := first.Kill(t.Context()); err != nil {
		t.Error(err)
	}
	await(t, "the next leader ends the trust in what was before", func() bool { return wrote(t, second, "issue") >= 1 && wrote(t, second, "prune") >= 1 })
	s.serves(t)
	asked, all := stopLoad(), stopProbe()
	if asked < 200 {
		t.Errorf("only %d requests", asked)
	}
	if len(all.served) < 3 || len(all.bundles) < 3 {
		t.Errorf("%d certificates and %d bundles were seen: what is shown by that is too little", len(all.served), len(all.bundles))
	}
}

// made is what the issuer would have made some time ago.
func made(t *testing.T, action certificate.Action, s certificate.State, ago time.Duration) certificate.Change {
	t.Helper()
	change, err := certificate.Carry(action, s, certificate.Config{
		Names:    certificate.NewNames("localhost", certificate.ServiceName(controller.Namespace, "hardgate-webhook")),
		Lifetime: 90 * 24 * time.Hour, CALifetime: 5 * 365 * 24 * time.Hour,
	}, time.Now().Add(-ago))
	if err != nil {
		t.Fatal(err)
	}
	return change
}

func secret(t *testing.T, name string) map[string][]byte {
	t.Helper()
	s, err := lab.admin.CoreV1().Secrets(controller.Namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s.Data
}

// restore writes over a Secret, whatever is there.
func restore(t *testing.T, name string, data map[string][]byte) {
	t.Helper()
	s, err := lab.admin.CoreV1().Secrets(controller.Namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.Data, s.ResourceVersion = data, ""
	if _, err := lab.admin.CoreV1().Secrets(controller.Namespace).Update(t.Context(), s, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// wrote is how often a controller has done a step.
func wrote(t *testing.T, c *controller.Controller, action string) float64 {
	t.Helper()
	m, err := c.Metrics(t.Context())
	if err != nil {
		return -1
	}
	return m[`hardgate_certificate_writes_total{action="`+action+`",result="written"}`]
}
