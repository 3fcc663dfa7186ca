package certificates

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/e2e/issuer"
)

// TestInTurn: the issuer is changed, as `helm upgrade --set certificates.issuer=…` does it,
// to cert-manager, back, and once more, and cert-manager renews certificate and authority in
// between; all of it under load, with cert-manager's own controllers and the component that
// is rendered from the chart. No request is lost, and at no moment is a bundle stored that
// refuses what a replica serves.
func TestInTurn(t *testing.T) {
	certManager(t)
	s := serve(t)
	register(t, s)
	builtin := lead(t, "builtin", flags...)
	await(t, "the bundles are stored", func() bool {
		bundles, err := stored(t.Context())
		return err == nil && len(bundles) == 1 && bundles[0] != ""
	})
	s.ready(t)
	enforce(t, "in-turn")
	stopLoad, stopProbe := load(t, "in-turn"), probe(t, s)

	// Helm writes rights, then Deployments, then webhook configurations, then Certificates.
	// Here the next controller leads before the rest is written.
	rights(t, "cert-manager")
	watcher := lead(t, "watcher", "--certificates", "cert-manager")
	end(t, builtin)
	await(t, "the controller tells that there is no Certificate", func() bool {
		events, err := lab.admin.CoreV1().Events("default").List(t.Context(), metav1.ListOptions{FieldSelector: "reason=CertificateProblem"})
		return err == nil && len(events.Items) > 0 && strings.Contains(events.Items[len(events.Items)-1].Message, "there is no Certificate hardgate-webhook")
	})
	inject(t, true)
	ask(t)
	byCertManager(t, s)
	await(t, "the controller tells that it is ready", func() bool { return ready(t, watcher) == 1 })

	renew(t, "hardgate-webhook")
	s.serves(t)
	renew(t, "hardgate-ca")
	renew(t, "hardgate-webhook")
	s.serves(t)
	m, err := watcher.Metrics(t.Context())
	if err != nil || m[`hardgate_certificate_expiration_timestamp_seconds{certificate="serving"}`] < float64(time.Now().Unix()) {
		t.Errorf("%v; the end is told as %g", err, m[`hardgate_certificate_expiration_timestamp_seconds{certificate="serving"}`])
	}

	rights(t, "builtin")
	builtin = lead(t, "builtin-2", flags...)
	end(t, watcher)
	await(t, "the built-in issuer waits", func() bool { return ready(t, builtin) == 0 })
	inject(t, false)
	withdraw(t)
	await(t, "the built-in issuer issues", func() bool { return wrote(t, builtin, "issue") >= 1 })
	s.serves(t)

	// Here the one before still leads when all is written.
	rights(t, "cert-manager")
	inject(t, true)
	ask(t)
	byCertManager(t, s)
	watcher = lead(t, "watcher-2", "--certificates", "cert-manager")
	end(t, builtin)
	await(t, "the controller tells that it is ready", func() bool { return ready(t, watcher) == 1 })
	asked, all := stopLoad(), stopProbe()
	if asked < 200 {
		t.Errorf("only %d requests", asked)
	}
	if len(all.served) < 5 || len(all.bundles) < 2 {
		t.Errorf("%d certificates and %d bundles were seen", len(all.served), len(all.bundles))
	}
}

// component is a file that is rendered from the chart.
func component(name string) string {
	return filepath.Join(lab.repo, "manifests", "cert-manager", name)
}

func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), lab.kubectl, append([]string{"--kubeconfig", cluster.Kubeconfig(lab.dir)}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// rights are those that the controller has with an issuer. Those of the built-in issuer are
// back when the test ends.
func rights(t *testing.T, of string) {
	t.Helper()
	if of == "builtin" {
		mine(t.Context(), t)
		return
	}
	t.Cleanup(func() { mine(context.WithoutCancel(t.Context()), t) })
	patch(t, "role-hardgate-controller-certificates.yaml")
	for _, name := range []string{"clusterrole-hardgate-controller-certificates.yaml", "clusterrolebinding-hardgate-controller-certificates.yaml"} {
		kubectl(t, "delete", "--wait=false", "-f", component(name))
	}
}

func mine(ctx context.Context, t *testing.T) {
	t.Helper()
	config, err := lab.cluster.RESTConfig()
	if err == nil {
		err = apply.File(ctx, config, filepath.Join(lab.repo, "manifests", "controller", "certificates.yaml"))
	}
	if err != nil {
		t.Error(err)
	}
}

// patch does what kustomize does with a patch, to what is stored.
func patch(t *testing.T, name string) {
	t.Helper()
	kubectl(t, "patch", "-f", component(name), "--patch-file", component(name))
}

// inject asks cert-manager for the bundle, or takes that back.
func inject(t *testing.T, wanted bool) {
	t.Helper()
	for _, kind := range []string{"mutatingwebhookconfiguration", "validatingwebhookconfiguration"} {
		if wanted {
			patch(t, kind+"-hardgate.yaml")
		} else {
			kubectl(t, "annotate", kind, "hardgate", "cert-manager.io/inject-ca-from-")
		}
	}
}

// issuers are those of the component. API servers reach the webhook by another name here.
func issuers(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	all, err := apply.Read(component("certificate.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range all {
		if u.GetKind() == "Certificate" && u.GetName() == "hardgate-webhook" {
			names, _, err := unstructured.NestedStringSlice(u.Object, "spec", "dnsNames")
			if err != nil {
				t.Fatal(err)
			}
			if err := unstructured.SetNestedStringSlice(u.Object, append(names, "localhost"), "spec", "dnsNames"); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

// ask asks cert-manager for the certificate, until the test ends or it is taken back.
func ask(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { withdraw(t) })
	for _, u := range issuers(t) {
		create(t, u)
	}
}

func withdraw(t *testing.T) {
	t.Helper()
	kubectl(t, "delete", "--ignore-not-found", "-f", component("certificate.yaml"))
	// As a cluster's garbage collector does.
	kubectl(t, "delete", "certificaterequests", "--all", "--namespace", controller.Namespace)
}

// byCertManager waits until every replica serves a certificate of cert-manager's.
func byCertManager(t *testing.T, s *service) {
	t.Helper()
	await(t, "cert-manager has made the certificate", func() bool { return isCertManagers(t, servingSecret) })
	s.serves(t)
}

func renew(t *testing.T, name string) {
	t.Helper()
	if err := issuer.Renew(t.Context(), lab.cluster, controller.Namespace, name); err != nil {
		t.Fatal(err)
	}
}

// end stops a controller, which gives its Lease back.
func end(t *testing.T, c *controller.Controller) {
	t.Helper()
	if err := c.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// ready is what a controller tells of the certificate; -1 for nothing.
func ready(t *testing.T, c *controller.Controller) float64 {
	t.Helper()
	m, err := c.Metrics(t.Context())
	value, known := m["hardgate_certificate_ready"]
	if err != nil || !known {
		return -1
	}
	return value
}

// certManager starts cert-manager's controllers, and leaves nothing of them behind.
func certManager(t *testing.T) {
	t.Helper()
	r, err := issuer.Start(t.Context(), lab.cluster, lab.issuer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("cert-manager:\n%s", r.Log())
		}
		if err := r.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
}
