package helm

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/issuer"
)

// The chart's issuers.
const (
	certManager = "cert-manager"
	builtin     = "builtin"
)

// againWithCertManager installs the chart where all that remains of it is, cert-manager's
// controllers run, and are to make the certificate: the policies are in force once more, and
// the authority is the old one.
func againWithCertManager(t *testing.T) {
	t.Helper()
	var err error
	if lab.certManager, err = issuer.Start(t.Context(), lab.cluster, lab.issuer); err != nil {
		t.Fatal(err)
	}
	old := secret(t, "hardgate-ca")
	install(t, "--set", "certificates.issuer="+certManager)
	if err := gate.AwaitDenial(t.Context(), lab.client, demo(t, "denied.yaml")); err != nil {
		t.Error(err)
	}
	await(t, time.Minute, "the API server fails closed", closed)
	now := secret(t, "hardgate-ca")
	if !bytes.Equal(old["tls.key"], now["tls.key"]) || len(now["tls.key"]) == 0 {
		t.Error("the authority is another")
	}
	if made := by(t); made != certManager {
		t.Errorf("%s makes the certificate", made)
	}
}

// renew lets cert-manager renew the certificate, the authority, and the certificate again,
// while pods are created in a namespace that is enforced.
func renew(t *testing.T) {
	t.Helper()
	s := begin(t, true)
	for _, names := range [][]string{{"hardgate-webhook"}, {"hardgate-ca", "hardgate-webhook"}} {
		for _, name := range names {
			if err := issuer.Renew(t.Context(), lab.cluster, system, name); err != nil {
				t.Fatal(err)
			}
		}
		serve(t)
	}
	s.more(t, 50)
	s.end()
	s.lost(t)
}

// change changes the issuer by that one value, while pods are created in a namespace that is
// enforced.
func change(to string) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		_, ended := keepsClosed(t)
		s := begin(t, true)
		_, err := helm(t.Context(), "upgrade", "hardgate", chart(), "--namespace", system, "--reset-then-reuse-values",
			"--set", "certificates.issuer="+to, "--wait", "--timeout", "5m")
		if err != nil {
			t.Error(err)
		}
		if made := by(t); made != to {
			t.Errorf("%s makes the certificate", made)
		}
		if to == certManager {
			await(t, time.Minute, "cert-manager has made the certificate", func(ctx context.Context) error {
				stored, err := lab.admin.CoreV1().Secrets(system).Get(ctx, "hardgate-webhook-tls", metav1.GetOptions{})
				if err == nil && stored.Annotations["cert-manager.io/certificate-name"] != "hardgate-webhook" {
					err = fmt.Errorf("it has the annotations %v", stored.Annotations)
				}
				return err
			})
			serve(t)
		}
		s.more(t, 50)
		s.end()
		s.lost(t)
		if err := ended(); err != nil {
			t.Error(err)
		}
	}
}

// by is who makes the certificate, as the registration and cert-manager's objects say: they
// must agree.
func by(t *testing.T) string {
	t.Helper()
	registered, err := lab.admin.AdmissionregistrationV1().ValidatingWebhookConfigurations().Get(t.Context(), "hardgate", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	asked, err := lab.objects.Resource(schema.GroupVersionResource{Group: "cert-manager.io", Version: "v1", Resource: "certificates"}).Namespace(system).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	injected := registered.Annotations["cert-manager.io/inject-ca-from"] != ""
	switch {
	case injected && len(asked.Items) == 2:
		return certManager
	case !injected && len(asked.Items) == 0:
		return builtin
	}
	return fmt.Sprintf("nobody (injected: %t, Certificates: %d)", injected, len(asked.Items))
}

func secret(t *testing.T, name string) map[string][]byte {
	t.Helper()
	s, err := lab.admin.CoreV1().Secrets(system).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s.Data
}

// serve waits until both pods of the webhook serve what is stored. A kubelet brings it when
// it looks at a pod, which it does every minute or so, and when the pod is changed.
func serve(t *testing.T) {
	t.Helper()
	block, _ := pem.Decode(secret(t, "hardgate-webhook-tls")["tls.crt"])
	if block == nil {
		t.Fatal("no certificate is stored")
	}
	pods, err := lab.admin.CoreV1().Pods(system).List(t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=hardgate-webhook"})
	if err != nil {
		t.Fatal(err)
	}
	if len(pods.Items) != 2 {
		t.Fatalf("%d pods of the webhook", len(pods.Items))
	}
	for _, p := range pods.Items {
		patch := fmt.Sprintf(`{"metadata": {"annotations": {"looked-at": %q}}}`, time.Now().Format(time.RFC3339Nano))
		if _, err := lab.admin.CoreV1().Pods(system).Patch(t.Context(), p.Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range pods.Items {
		await(t, 2*time.Minute, p.Name+" serves what is stored", func(ctx context.Context) error {
			dialer := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}} // which one it is is looked at
			conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(p.Status.PodIP, "9443"))
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close() }()
			if !bytes.Equal(conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Raw, block.Bytes) {
				return errors.New("it serves another")
			}
			return nil
		})
	}
}

// stopCertManager ends it, if it has been started.
func stopCertManager(t *testing.T) {
	t.Helper()
	if lab.certManager == nil {
		return
	}
	if t.Failed() {
		t.Logf("cert-manager:\n%s", lab.certManager.Log())
	}
	if err := lab.certManager.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}
