package certificates

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/hardgate-dev/hardgate/e2e/process"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// exemptionEnds holds that both replicas honour an Exemption until it ends, within two
// seconds, whatever their clocks say.
func exemptionEnds(t *testing.T, s *service) {
	t.Helper()
	for n, ahead := range []time.Duration{-far, far} {
		url := "http://127.0.0.1:" + strconv.Itoa(lab.cluster.Ports().Of(fmt.Sprintf("webhook-%d", n)+metricsPort)) + "/metrics"
		if m, err := process.Metrics(t.Context(), url); err != nil || !near(m["hardgate_admission_clock_skew_seconds"], ahead) {
			t.Errorf("%v; replica %d tells of a skew of %g s", err, n, m["hardgate_admission_clock_skew_seconds"])
		}
	}
	end := time.Now().Add(8 * time.Second).Truncate(time.Second)
	e := object("hardgate.dev/v1alpha1", "Exemption", "", "skew", map[string]any{"spec": map[string]any{
		"controls": []any{"privileged"}, "objects": map[string]any{"namespaces": []any{"skew"}, "names": []any{"exempt"}},
		"reason": "to end", "owner": "somebody", "expires": end.UTC().Format(time.RFC3339),
	}})
	create(t, e)
	t.Cleanup(func() { remove(t, e) })
	bundles, err := stored(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range s.replicas {
		await(t, "what is exempt is let through", func() bool { return allowed(t, address, bundles[0]) })
	}
	if left := time.Until(end); left < time.Second {
		t.Fatalf("it took so long that only %s are left", left)
	}
	for n, address := range s.replicas {
		await(t, "what was exempt is refused", func() bool { return !allowed(t, address, bundles[0]) })
		if off := time.Since(end); off < -2*time.Second || off > 5*time.Second && n == 0 {
			t.Errorf("replica %d refuses %s after the Exemption has ended", n, off)
		}
	}
}

// allowed is whether a replica lets a privileged pod through that is called "exempt".
func allowed(t *testing.T, address, bundle string) bool {
	t.Helper()
	pods := metav1.GroupVersionResource{Version: "v1", Resource: "pods"}
	body, err := json.Marshal(admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{
			UID: "a", Kind: metav1.GroupVersionKind{Version: "v1", Kind: "Pod"}, Resource: pods, Namespace: "skew", Name: "exempt", Operation: admissionv1.Create,
			Object: runtime.RawExtension{Raw: []byte(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"exempt","namespace":"skew"},` +
				`"spec":{"containers":[{"name":"a","image":"registry.example/a:1","securityContext":{"privileged":true}}]}}`)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(bundle))
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool, ServerName: "localhost"}, DisableKeepAlives: true,
	}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+address+registration.WorkloadPath, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var review admissionv1.AdmissionReview
	if err := json.NewDecoder(resp.Body).Decode(&review); err != nil || review.Response == nil {
		t.Fatalf("status %d: %v", resp.StatusCode, err)
	}
	return review.Response.Allowed
}
