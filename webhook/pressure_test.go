package webhook

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"

	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// largeReview is a review of about a MiB.
func largeReview() string {
	return strings.Replace(podReview(pod(plain), "", ""), `"name":"p"`, `"name":"p","annotations":{"a":"`+strings.Repeat("x", 1<<20)+`"}`, 1)
}

// While large requests fill their memory, a large one more is refused with its UID,
// which no failurePolicy overrides, and small ones do not notice.
func TestLargeRequestsUnderPressure(t *testing.T) {
	gate, _ := newGate(t, "privileged")
	if err := gate.large.Acquire(t.Context(), maxLarge); err != nil {
		t.Fatal(err)
	}
	if r := ask(t, gate, podReview(pod(plain), "", "")); !r.Allowed {
		t.Errorf("a small request is refused: %+v", r)
	}
	w := post(t, gate, registration.WorkloadPath, largeReview())
	var r admissionv1.AdmissionReview
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
		t.Fatalf("HTTP %d %s", w.Code, w.Body)
	}
	if r.Response.Allowed || r.Response.UID != "u-1" || r.Response.Result.Code != http.StatusTooManyRequests {
		t.Errorf("got %+v", r.Response)
	}
	gate.large.Release(maxLarge)
	if r := ask(t, gate, largeReview()); !r.Allowed {
		t.Errorf("with room again: %+v", r)
	}
	if !gate.large.TryAcquire(maxLarge) {
		t.Error("room is not given back")
	}
}

// stalled says how much memory had been made for it when it was first read.
type stalled struct{ asked int }

func (s *stalled) Read(p []byte) (int, error) {
	s.asked = max(s.asked, cap(p))
	return 0, io.ErrUnexpectedEOF
}

// Memory follows what arrives, not what a client says will come.
func TestMemoryIsNotTakenOnAPromise(t *testing.T) {
	gate, _ := newGate(t)
	body := &stalled{}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, registration.WorkloadPath, body)
	req.Header.Set("Content-Type", "application/json")
	req.ContentLength = maxBody
	w := httptest.NewRecorder()
	gate.Handler().ServeHTTP(w, req)
	if w.Code != http.StatusBadRequest {
		t.Errorf("HTTP %d", w.Code)
	}
	if limit := 2 * smallBody; body.asked > limit {
		t.Errorf("%d bytes are offered to a client that sends none, want at most %d", body.asked, limit)
	}
}

// A stored policy that is wrong can still be labelled and lose its finalizers, but
// not be changed into another that is wrong.
func TestInvalidPolicyThatIsStored(t *testing.T) {
	gate, _ := newGate(t)
	review := func(object, old string) string {
		return `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1",
			"kind":{"group":"hardgate.dev","version":"v1alpha1","kind":"WorkloadPolicy"},"operation":"UPDATE","object":` + object + `,"oldObject":` + old + `}}`
	}
	policy := func(finalizers, mode string) string {
		return `{"apiVersion":"hardgate.dev/v1alpha1","kind":"WorkloadPolicy","metadata":{"name":"p","finalizers":[` + finalizers + `]},"spec":{"mod":"` + mode + `"}}`
	}
	allowed := func(body string) bool {
		w := post(t, gate, registration.PolicyPath, body)
		var r admissionv1.AdmissionReview
		if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
			t.Fatalf("HTTP %d %s", w.Code, w.Body)
		}
		return r.Response.Allowed
	}
	if !allowed(review(policy("", "Off"), policy(`"a/b"`, "Off"))) {
		t.Error("its finalizer cannot be removed")
	}
	if allowed(review(policy("", "Warn"), policy("", "Off"))) {
		t.Error("another wrong spec is taken")
	}
}
