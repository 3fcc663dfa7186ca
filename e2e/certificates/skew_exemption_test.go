package certificates

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/hardgate-dev/hardgate/e2e/process"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// exempt makes an Exemption that ends soon. What it returns holds that both replicas have
// honoured it until then, to some seconds, whatever their clocks say.
func exempt(t *testing.T, s *service) (ends func()) {
	t.Helper()
	for n, ahead := range []time.Duration{-far, far} {
		url := "http://127.0.0.1:" + strconv.Itoa(lab.cluster.Ports().Of(fmt.Sprintf("webhook-%d", n)+metricsPort)) + "/metrics"
		if m, err := process.Metrics(t.Context(), url); err != nil || !near(m["hardgate_admission_clock_skew_seconds"], ahead) {
			t.Errorf("%v; replica %d tells of a skew of %g s", err, n, m["hardgate_admission_clock_skew_seconds"])
		}
	}
	bundles, err := stored(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(12 * time.Second).Truncate(time.Second)
	e := object("hardgate.dev/v1alpha1", "Exemption", "", "skew", map[string]any{"spec": map[string]any{
		"controls": []any{"privileged"}, "objects": map[string]any{"namespaces": []any{"skew"}, "names": []any{"exempt"}},
		"reason": "to end", "owner": "somebody", "expires": end.UTC().Format(time.RFC3339),
	}})
	create(t, e)
	t.Cleanup(func() { remove(t, e) })
	var refused [replicas]time.Time
	var errs [replicas]error
	var asking sync.WaitGroup
	for n, address := range s.replicas {
		await(t, "what is exempt is let through", func() bool {
			ok, err := allowed(t.Context(), address, bundles[0])
			return err == nil && ok
		})
		asking.Go(func() {
			for ok := true; ok && errs[n] == nil && time.Since(end) < 30*time.Second; time.Sleep(50 * time.Millisecond) {
				ok, errs[n] = allowed(t.Context(), address, bundles[0])
				refused[n] = time.Now()
			}
		})
	}
	return func() {
		t.Helper()
		asking.Wait()
		for n, at := range refused {
			if off := at.Sub(end); errs[n] != nil || off < -2*time.Second || off > 5*time.Second {
				t.Errorf("%v; replica %d refuses %s after the Exemption has ended", errs[n], n, off)
			}
		}
	}
}

// allowed is whether a replica lets a privileged pod through that is called "exempt".
func allowed(ctx context.Context, address, bundle string) (bool, error) {
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
		return false, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(bundle))
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool, ServerName: "localhost"}, DisableKeepAlives: true,
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+address+registration.WorkloadPath, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return false, err
	}
	defer func() { _ = resp.Body.Close() }()
	var review admissionv1.AdmissionReview
	if err := json.NewDecoder(resp.Body).Decode(&review); err != nil {
		return false, fmt.Errorf("an answer of status %d: %w", resp.StatusCode, err)
	}
	return review.Response != nil && review.Response.Allowed, nil
}
