package certificates

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/e2e/flock"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

// TestCertManager: cert-manager's own controllers renew the certificate and its authority
// under load, by the resources of the chart. No request is lost; the controller tells
// whether the certificate is ready.
func TestCertManager(t *testing.T) {
	allow(t)
	certManager(t)
	s := serve(t)
	register(t, s, map[string]any{"cert-manager.io/inject-ca-from": controller.Namespace + "/hardgate-webhook"})
	c := lead(t, "controller", "--certificates", "cert-manager")
	ready := func() float64 {
		m, err := c.Metrics(t.Context())
		value, known := m["hardgate_certificate_ready"]
		if err != nil || !known {
			return -1
		}
		return value
	}
	await(t, "the controller tells that there is no Certificate", func() bool { return ready() == 0 })
	await(t, "it does so by an Event", func() bool {
		events, err := lab.admin.CoreV1().Events("default").List(t.Context(), metav1.ListOptions{FieldSelector: "reason=CertificateProblem"})
		return err == nil && len(events.Items) > 0 && strings.Contains(events.Items[0].Message, "there is no Certificate hardgate-webhook")
	})
	for _, u := range issuers() {
		create(t, u)
		t.Cleanup(func() { remove(t, u) })
	}
	await(t, "cert-manager has brought the bundle", func() bool {
		bundles, err := stored(t.Context())
		return err == nil && len(bundles) == 1 && bundles[0] != ""
	})
	await(t, "the controller tells that it is ready", func() bool { return ready() == 1 })
	s.ready(t)
	enforce(t, "cert-manager")

	stopLoad, stopProbe := load(t, "cert-manager"), probe(t, s)
	renew(t, "hardgate-webhook", servingSecret)
	time.Sleep(slowest + 11*time.Second) // until every replica serves it
	renew(t, "hardgate-ca", "hardgate-ca")
	renew(t, "hardgate-webhook", servingSecret)
	time.Sleep(slowest + 11*time.Second)
	asked, all := stopLoad(), stopProbe()
	if asked < 200 {
		t.Errorf("only %d requests", asked)
	}
	if len(all.served) < 3 || len(all.bundles) < 2 {
		t.Errorf("%d certificates and %d bundles were seen", len(all.served), len(all.bundles))
	}
	if m, err := c.Metrics(t.Context()); err != nil || ready() != 1 || m[`hardgate_certificate_expiration_timestamp_seconds{certificate="serving"}`] < float64(time.Now().Unix()) {
		t.Errorf("%v; ready is %g, and the end is told as %g", err, ready(), m[`hardgate_certificate_expiration_timestamp_seconds{certificate="serving"}`])
	}
}

// issuers are what the chart installs for cert-manager. The key of the authority stays
// when it is renewed: where cert-manager puts one authority in the place of another in the
// bundle, a new key would be one that no replica serves by yet.
func issuers() []*unstructured.Unstructured {
	of := func(kind, name string, spec map[string]any) *unstructured.Unstructured {
		return object("cert-manager.io/v1", kind, controller.Namespace, name, map[string]any{"spec": spec})
	}
	key := func(rotation string) map[string]any {
		return map[string]any{"algorithm": "ECDSA", "size": int64(256), "rotationPolicy": rotation}
	}
	by := func(name string) map[string]any { return map[string]any{"name": name, "kind": "Issuer"} }
	return []*unstructured.Unstructured{
		of("Issuer", "hardgate-selfsigned", map[string]any{"selfSigned": map[string]any{}}),
		of("Certificate", "hardgate-ca", map[string]any{
			"isCA": true, "commonName": "hardgate-ca", "secretName": "hardgate-ca", "duration": "43800h",
			"privateKey": key("Never"), "issuerRef": by("hardgate-selfsigned"),
		}),
		of("Issuer", "hardgate-ca", map[string]any{"ca": map[string]any{"secretName": "hardgate-ca"}}),
		of("Certificate", "hardgate-webhook", map[string]any{
			"secretName": servingSecret, "duration": "2160h", "dnsNames": []any{"localhost", "hardgate-webhook.hardgate-system.svc"},
			"privateKey": key("Always"), "issuerRef": by("hardgate-ca"),
		}),
	}
}

// renew asks for a new certificate as cmctl does, and waits until it is stored.
func renew(t *testing.T, name, secret string) {
	t.Helper()
	config, err := lab.cluster.RESTConfig()
	if err != nil {
		t.Fatal(err)
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	content := func() string {
		s, err := lab.admin.CoreV1().Secrets(controller.Namespace).Get(t.Context(), secret, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return string(s.Data["tls.crt"])
	}
	before := content()
	certificates := client.Resource(schema.GroupVersionResource{Group: "cert-manager.io", Version: "v1", Resource: "certificates"}).Namespace(controller.Namespace)
	u, err := certificates.Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	conditions, _, err := unstructured.NestedSlice(u.Object, "status", "conditions")
	if err != nil {
		t.Fatal(err)
	}
	conditions = append(conditions, map[string]any{
		"type": "Issuing", "status": "True", "reason": "ManuallyTriggered", "message": "by a test", "observedGeneration": u.GetGeneration(),
		"lastTransitionTime": time.Now().UTC().Format(time.RFC3339),
	})
	if err := unstructured.SetNestedSlice(u.Object, conditions, "status", "conditions"); err != nil {
		t.Fatal(err)
	}
	if _, err := certificates.UpdateStatus(t.Context(), u, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, name+" is renewed", func() bool { return content() != before })
}

// certManager starts cert-manager's controllers. They put one authority in the place of
// another, as those before 1.19 do: with those that know an overlap, less can go wrong.
func certManager(t *testing.T) {
	t.Helper()
	binary, crds, err := buildCertManager(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	objects, err := apply.ReadDir(crds)
	if err != nil {
		t.Fatal(err)
	}
	for _, crd := range objects {
		if _, err := lab.client.Apply(t.Context(), crd); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "cert-manager's kinds are served", func() bool {
		_, err := lab.client.Get(t.Context(), object("cert-manager.io/v1", "Certificate", controller.Namespace, "none", map[string]any{}))
		return err != nil && strings.Contains(err.Error(), `"none" not found`)
	})
	r, err := process.Program{
		Name: "cert-manager", Path: binary, Dir: lab.dir, Args: []string{"--kubeconfig", cluster.Kubeconfig(lab.dir), "--merge=false"},
	}.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if running, err := r.Running(); err != nil || !running {
		t.Fatalf("cert-manager has ended: %v\n%s", err, r.LogTail())
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("cert-manager:\n%s", r.LogTail())
		}
		if err := r.Stop(context.WithoutCancel(t.Context()), 10*time.Second); err != nil {
			t.Error(err)
		}
	})
}

// buildCertManager builds the module in e2e/certmanager into the cache, which takes some
// minutes once, and finds the CRDs of the same version.
func buildCertManager(ctx context.Context) (binary, crds string, _ error) {
	cache := os.Getenv("HARDGATE_CACHE")
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", "", fmt.Errorf("finding the cache directory (HARDGATE_CACHE names another): %w", err)
		}
		cache = filepath.Join(user, "hardgate")
	}
	cache = filepath.Join(cache, "cert-manager")
	unlock, err := flock.Lock(ctx, cache, func() { say("another run builds cert-manager: waiting for it") })
	if err != nil {
		return "", "", err
	}
	defer unlock()
	command := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = filepath.Join(lab.repo, "e2e", "certmanager")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=readonly -buildvcs=false")
		out, err := cmd.CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("building cert-manager: %w\n%s", err, out)
		}
		return strings.TrimSpace(string(out)), nil
	}
	binary = filepath.Join(cache, "certmanager")
	if _, err := os.Stat(binary); errors.Is(err, os.ErrNotExist) {
		say("building cert-manager's controllers, about 4 minutes, once")
	}
	// What is up to date is left alone by the go command.
	if _, err := command("build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "."); err != nil {
		return "", "", err
	}
	module, err := command("list", "-m", "-f", "{{.Dir}}", "github.com/cert-manager/cert-manager")
	if err != nil {
		return "", "", err
	}
	return binary, filepath.Join(module, "deploy", "crds"), nil
}
