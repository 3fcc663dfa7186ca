package webhook

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	admissionv1 "k8s.io/api/admission/v1"

	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// The self-test is denied in words that the controller knows, and nothing else is.
func TestSelfTest(t *testing.T) {
	const group = "hardgate.dev"
	tests := map[string]struct {
		group, kind, operation, name string
		denied                       bool
	}{
		"the self-test":       {group, "ClusterReport", "CREATE", "self-test", true},
		"the report":          {group, "ClusterReport", "CREATE", "cluster", false},
		"a report to be":      {group, "ClusterReport", "CREATE", "", false},
		"an update":           {group, "ClusterReport", "UPDATE", "self-test", false},
		"another kind":        {group, "NodeReport", "CREATE", "self-test", false},
		"another's of a kind": {"example.com", "ClusterReport", "CREATE", "self-test", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			gate, _ := newGate(t)
			w := post(t, gate, registration.SelfTestPath, fmt.Sprintf(`{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1",
				"kind":{"group":%q,"version":"v1alpha1","kind":%q},"resource":{"group":%[1]q,"version":"v1alpha1","resource":"clusterreports"},
				"name":%[4]q,"operation":%[3]q,"userInfo":{"username":"ann"},"object":{"metadata":{"name":"x"}},"oldObject":null,"dryRun":true}}`,
				tt.group, tt.kind, tt.operation, tt.name))
			var answer admissionv1.AdmissionReview
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK || answer.Response == nil || answer.Response.UID != "u-1" {
				t.Fatalf("HTTP %d, %v: %s", w.Code, err, w.Body)
			}
			if answer.Response.Allowed == tt.denied {
				t.Errorf("allowed %v", answer.Response.Allowed)
			}
			if tt.denied {
				s := answer.Response.Result
				said := fmt.Errorf("admission webhook %q denied the request: %s", "self-test.hardgate.dev", s.Message)
				if v, ok := registration.Reached(said); !ok || v == "" || strings.ContainsAny(v, "\n") || s.Code != http.StatusForbidden {
					t.Errorf("the controller reads %q of %+v", v, s)
				}
			}
			for answer, want := range map[string]float64{"denied": 0, "self-test": 1} {
				if got := testutil.ToFloat64(gate.metrics.requests.WithLabelValues(answer)); got != want {
					t.Errorf("requests %s: %v, want %v", answer, got, want)
				}
			}
		})
	}
}
