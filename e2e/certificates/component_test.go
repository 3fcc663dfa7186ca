package certificates

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/certificate"
	"github.com/hardgate-dev/hardgate/e2e/controller"
)

// TestComponent: kubectl and the API server take the component as it is, over the manifests
// of the built-in issuer; and where there is nothing to go on with, cert-manager makes an
// authority and a certificate that the name of the Service is good by.
func TestComponent(t *testing.T) {
	certManager(t)
	dir := t.TempDir()
	way, err := filepath.Rel(dir, filepath.Join(lab.repo, "manifests"))
	if err != nil {
		t.Fatal(err)
	}
	text := "resources: [" + way + "]\ncomponents: [" + way + "/cert-manager]\n"
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := kubectl(t, "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-k", dir)
	for _, want := range []string{
		"certificate.cert-manager.io/hardgate-webhook", "validatingwebhookconfiguration.admissionregistration.k8s.io/hardgate",
		"deployment.apps/hardgate-controller", "role.rbac.authorization.k8s.io/hardgate-controller-certificates",
	} {
		if !strings.Contains(out, want+" serverside-applied") {
			t.Errorf("%s is not applied:\n%s", want, out)
		}
	}
	if strings.Contains(out, "clusterrole.rbac.authorization.k8s.io/hardgate-controller-certificates") {
		t.Errorf("a right of the built-in issuer is applied:\n%s", out)
	}
	forget(t)
	ask(t)
	await(t, "cert-manager has made the certificate", func() bool { return isCertManagers(t, servingSecret) && isCertManagers(t, authoritySecret) })
	withdraw(t)
	made := secret(t, servingSecret)
	block, _ := pem.Decode(made["tls.crt"])
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(made["ca.crt"])
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: certificate.ServiceName(controller.Namespace, "hardgate-webhook")}); err != nil {
		t.Error(err)
	}
	forget(t)
}

// isCertManagers is whether cert-manager has made what is stored. An authority that the
// built-in issuer has made may be as good to it as one of its own.
func isCertManagers(t *testing.T, name string) bool {
	t.Helper()
	s, err := lab.admin.CoreV1().Secrets(controller.Namespace).Get(t.Context(), name, metav1.GetOptions{})
	return err == nil && s.Annotations["cert-manager.io/certificate-name"] != ""
}

// forget deletes both Secrets, if they are there.
func forget(t *testing.T) {
	t.Helper()
	for _, name := range []string{authoritySecret, servingSecret} {
		err := lab.admin.CoreV1().Secrets(controller.Namespace).Delete(t.Context(), name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Fatal(err)
		}
	}
}
