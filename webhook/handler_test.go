package webhook

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// TestBadInput holds that whatever comes in is answered, and never allowed.
func TestBadInput(t *testing.T) {
	good := podReview(pod(plain), "", "")
	tests := map[string]struct {
		body string
		path string // the workload path where empty
		code int    // of HTTP; 200 is a review with an error
		want string // in the body
	}{
		"empty":                   {"", "", 400, "the document ends"},
		"not JSON":                {"hello", "", 400, "offset 0"},
		"binary":                  {"\x00\xff\xfe", "", 400, "offset 0"},
		"a list":                  {"[]", "", 400, "an object should be"},
		"null":                    {"null", "", 400, "AdmissionReview should be"},
		"not a review":            {`{"apiVersion":"v1","kind":"Pod"}`, "", 400, "AdmissionReview should be"},
		"v1beta1":                 {strings.Replace(good, "admission.k8s.io/v1", "admission.k8s.io/v1beta1", 1), "", 200, "v1beta1"},
		"no request":              {`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}`, "", 400, "no request"},
		"no uid":                  {strings.Replace(good, `"uid":"u-1",`, "", 1), "", 400, "no uid"},
		"cut off":                 {good[:len(good)-30], "", 200, "offset"},
		"something behind":        {good + "{}", "", 200, "the end should be"},
		"uid twice":               {strings.Replace(good, `"uid":"u-1"`, `"uid":"u-1","uid":"u-2"`, 1), "", 200, "given twice"},
		"wrong kind":              {strings.Replace(good, `"kind":"Pod"}`, `"kind":"Banana"}`, 1), "", 200, "Pod"},
		"unjudged kind":           {strings.ReplaceAll(good, `"kind":"Pod"`, `"kind":"ConfigMap"`), "", 200, "ConfigMap is not judged here"},
		"unknown version":         {strings.ReplaceAll(strings.Replace(good, `"version":"v1","kind"`, `"version":"v9","kind"`, 1), `"apiVersion":"v1"`, `"apiVersion":"v9"`), "", 200, "unknown version"},
		"unjudged subresource":    {podReview(pod(plain), pod(plain), `,"subResource":"status"`), "", 200, `subresource \"status\"`},
		"delete":                  {strings.Replace(good, "CREATE", "DELETE", 1), "", 200, "DELETE"},
		"no object":               {podReview("null", "", ""), "", 200, "no object"},
		"update without old":      {strings.Replace(good, "CREATE", "UPDATE", 1), "", 200, "no oldObject"},
		"pod without spec":        {podReview(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"}}`, "", ""), "", 200, "has no spec"},
		"pod with null spec":      {podReview(`{"apiVersion":"v1","kind":"Pod","spec":null}`, "", ""), "", 200, "has no spec"},
		"privileged is a string":  {podReview(pod(strings.Replace(priv, "true", `"true"`, 1)), "", ""), "", 200, "spec.containers[0].securityContext.privileged"},
		"containers is an object": {podReview(`{"apiVersion":"v1","kind":"Pod","spec":{"containers":{}}}`, "", ""), "", 200, "spec.containers"},
		"name twice":              {podReview(pod(`{"name":"a","name":"b"}`), "", ""), "", 200, "given twice"},
		"too deep":                {podReview(pod(`{"name":"a","x":`+strings.Repeat("[", 500)+strings.Repeat("]", 500)+`}`), "", ""), "", 200, "deeper"},
		"unknown namespace":       {strings.Replace(good, `"namespace":"shop","operation"`, `"namespace":"gone","operation"`, 1), "", 500, "namespace gone"},
		"no namespace":            {strings.Replace(good, `"namespace":"shop","operation"`, `"operation"`, 1), "", 200, "no namespace"},
		"a pod as a policy":       {good, registration.PolicyPath, 200, "not judged here"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			gate, _ := newGate(t, "privileged")
			path := tt.path
			if path == "" {
				path = registration.WorkloadPath
			}
			w := post(t, gate, path, tt.body)
			if w.Code != tt.code || !strings.Contains(w.Body.String(), tt.want) {
				t.Fatalf("HTTP %d %s; want %d and %q", w.Code, w.Body, tt.code, tt.want)
			}
			if w.Code != http.StatusOK {
				return
			}
			var r admissionv1.AdmissionReview
			if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
				t.Fatal(err)
			}
			if r.Response.Allowed || r.Response.UID != "u-1" || r.Response.Result.Code != http.StatusBadRequest {
				t.Errorf("got %+v", r.Response)
			}
		})
	}
}

func TestHTTP(t *testing.T) {
	good := podReview(pod(plain), "", "")
	long := func(n int) string {
		return strings.Replace(good, `"name":"p"`, `"name":"p","annotations":{"a":"`+strings.Repeat("x", n)+`"}`, 1)
	}
	huge, giant := long(10<<20), long(30<<20)
	tests := map[string]struct {
		method, contentType, body, path string
		chunked                         bool
		code                            int
		refused                         int32 // the code of the review's answer
	}{
		"get":                {method: http.MethodGet, code: 405},
		"form":               {contentType: "application/x-www-form-urlencoded", body: good, code: 415},
		"protobuf":           {contentType: "application/vnd.kubernetes.protobuf", body: good, code: 415},
		"no content type":    {contentType: "-", body: good, code: 415},
		"10 MB":              {body: huge, code: 200},
		"30 MB":              {body: giant, code: 200, refused: 413},
		"30 MB in chunks":    {body: giant, chunked: true, code: 200, refused: 413},
		"30 MB of rubbish":   {body: strings.Repeat("x", 30<<20), code: 413},
		"unknown path":       {path: "/validate-banana", body: good, code: 404},
		"good":               {body: good, code: 200},
		"good, with charset": {contentType: "application/json; charset=utf-8", body: good, code: 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			gate, _ := newGate(t)
			method, path, contentType := tt.method, tt.path, tt.contentType
			if method == "" {
				method = http.MethodPost
			}
			if path == "" {
				path = registration.WorkloadPath
			}
			req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(tt.body))
			switch contentType {
			case "":
				req.Header.Set("Content-Type", "application/json")
			case "-":
			default:
				req.Header.Set("Content-Type", contentType)
			}
			if tt.chunked {
				req.ContentLength = -1
			}
			w := httptest.NewRecorder()
			gate.Handler().ServeHTTP(w, req)
			if w.Code != tt.code {
				t.Fatalf("HTTP %d: %.200s", w.Code, w.Body)
			}
			if tt.refused == 0 {
				return
			}
			var r admissionv1.AdmissionReview
			if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
				t.Fatal(err)
			}
			if r.Response.Allowed || r.Response.UID != "u-1" || r.Response.Result.Code != tt.refused {
				t.Errorf("got %+v", r.Response)
			}
		})
	}
}

// TestBuffersAreNotShared answers one request after another from the same pool: an
// answer must not hold what the next request wrote over.
func TestBuffersAreNotShared(t *testing.T) {
	gate, _ := newGate(t, "privileged")
	want := ask(t, gate, podReview(pod(priv), "", ""))
	for range 50 {
		ask(t, gate, podReview(pod(strings.Replace(plain, `"a"`, `"zzzzzzzzzzzz"`, 1)), "", ""))
		if diff := cmp.Diff(want, ask(t, gate, podReview(pod(priv), "", ""))); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestMetrics(t *testing.T) {
	gate, registry := newGate(t, "privileged", "host-pid")
	ask(t, gate, podReview(pod(priv), "", ""))
	ask(t, gate, podReview(pod(plain), "", ""))
	ask(t, gate, podReview(pod(priv), pod(priv), ""))
	post(t, gate, registration.WorkloadPath, "rubbish")
	post(t, gate, registration.WorkloadPath, strings.Replace(podReview(pod(plain), "", ""), `"namespace":"shop","operation"`, `"namespace":"gone","operation"`, 1))

	for labels, want := range map[[3]string]float64{
		{"privileged", "Enforce", "Fail"}: 1,
		{"privileged", "Warn", "Fail"}:    1, // it was there before the update
		{"privileged", "Enforce", "Pass"}: 1,
		{"host-pid", "Enforce", "Pass"}:   3,
	} {
		if got := testutil.ToFloat64(gate.metrics.decisions.WithLabelValues(labels[0], labels[1], labels[2])); got != want {
			t.Errorf("decisions %v: %v, want %v", labels, got, want)
		}
	}
	for answer, want := range map[string]float64{"denied": 1, "allowed": 1, "warned": 1, "bad-request": 1, "error": 1} {
		if got := testutil.ToFloat64(gate.metrics.requests.WithLabelValues(answer)); got != want {
			t.Errorf("requests %s: %v, want %v", answer, got, want)
		}
	}
	if n, err := testutil.GatherAndCount(registry, "hardgate_admission_duration_seconds"); err != nil || n != 1 {
		t.Errorf("%d histograms, %v", n, err)
	}
}

// FuzzHandler holds that any bytes get an answer that is no allowance unless they
// are a review that can be read.
func FuzzHandler(f *testing.F) {
	f.Add(podReview(pod(plain), "", ""))
	f.Add(podReview(pod(priv), pod(plain), `,"subResource":"ephemeralcontainers"`))
	f.Add(accountReview("ann"))
	f.Add("{}")
	f.Add("\x00")
	gate, _ := newGate(f, "privileged", "default-service-account")
	f.Fuzz(func(t *testing.T, body string) {
		w := post(t, gate, registration.WorkloadPath, body)
		if w.Code != http.StatusOK {
			if w.Code < 400 || w.Body.Len() == 0 {
				t.Fatalf("HTTP %d %q", w.Code, w.Body)
			}
			return
		}
		var r admissionv1.AdmissionReview
		if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if r.Response == nil || r.Response.UID == "" {
			t.Fatalf("no response or no UID: %s", w.Body)
		}
		if r.Response.Allowed && !json.Valid([]byte(body)) {
			t.Fatal("allowed what is not JSON")
		}
	})
}

// broken is a cluster on which the gate breaks.
type broken struct{ still }

func (broken) Labels(context.Context, string) (labels.Set, error) { panic("at the disco") }

// A request on which the gate breaks is answered as one that it cannot tell about.
func TestPanic(t *testing.T) {
	gate := NewGate(broken{}, NewMetrics(prometheus.NewRegistry()))
	w := post(t, gate, registration.WorkloadPath, podReview(pod(plain), "", ""))
	if w.Code != http.StatusInternalServerError {
		t.Errorf("HTTP %d: %s", w.Code, w.Body)
	}
	if got := testutil.ToFloat64(gate.metrics.requests.WithLabelValues(outcomeError)); got != 1 {
		t.Errorf("%v errors are counted, want 1", got)
	}
}
