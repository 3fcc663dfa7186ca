package delivery

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
)

// apiServer holds one report and one lease.
type apiServer struct {
	mu      sync.Mutex
	report  *object
	lease   *object
	version int
	log     []string // method and path of each request
	// refuse answers in the server's place if it returns a status.
	refuse func(*http.Request) int
	token  string
}

func (a *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.log = append(a.log, r.Method+" "+r.URL.Path)
	if r.Header.Get("Authorization") != "Bearer "+a.token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if a.refuse != nil {
		if code := a.refuse(r); code != 0 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(code)
			return
		}
	}
	var in object
	if r.Method == http.MethodPatch {
		data, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(data, &in); err != nil || r.Header.Get("Content-Type") != applyType ||
			r.URL.Query().Get("fieldManager") != FieldManager || r.URL.Query().Get("force") != "true" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	a.version++
	switch {
	case strings.Contains(r.URL.Path, "/leases/"):
		a.lease = &in
		_ = json.NewEncoder(w).Encode(in)
		return
	case a.report == nil && (r.Method == http.MethodGet || strings.HasSuffix(r.URL.Path, "/status")):
		w.WriteHeader(http.StatusNotFound)
		return
	case r.Method == http.MethodGet:
	case strings.HasSuffix(r.URL.Path, "/status"):
		a.report.Status, a.report.Metadata.ResourceVersion = in.Status, strconv.Itoa(a.version)
	default:
		if a.report != nil {
			in.Status = a.report.Status
		}
		in.Metadata.ResourceVersion = strconv.Itoa(a.version)
		a.report = &in
	}
	out := *a.report
	if strings.Contains(r.Header.Get("Accept"), "PartialObjectMetadata") {
		out.Status = nil
	}
	_ = json.NewEncoder(w).Encode(out)
}

// change calls f while no request is served.
func (a *apiServer) change(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

func (a *apiServer) requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.log...)
}

func (a *apiServer) status() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.report == nil {
		return ""
	}
	return string(a.report.Status)
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after 20 s", what)
		}
	}
}

// statusOf is a status that differs by n.
func statusOf(t *testing.T, n int32) []byte {
	t.Helper()
	data, err := json.Marshal(v1alpha1.NodeReportStatus{RuleSet: "r", Summary: v1alpha1.NodeSummary{Fail: n}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// bound is an unsigned token that says what a pod's says.
const bound = "e30.eyJrdWJlcm5ldGVzLmlvIjp7Im5hbWVzcGFjZSI6ImhhcmRnYXRlIiwibm9kZSI6eyJuYW1lIjoibm9kZS0xIiwidWlkIjoidWlkLTEifSwicG9kIjp7Im5hbWUiOiJwIn19fQ.c2ln"

func start(t *testing.T, a *apiServer, heartbeat time.Duration) *Sender {
	t.Helper()
	a.token = bound
	server := httptest.NewTLSServer(a)
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	s := &Sender{
		Client: &Client{
			URL: server.URL, CA: func() ([]byte, error) { return ca, nil },
			Token: func() (string, error) { return bound, nil },
		},
		Node: "node-1", Namespace: "hardgate", Heartbeat: heartbeat,
		Alive: func() error { return nil }, Metrics: NewMetrics(prometheus.NewRegistry()),
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return s
}

const (
	report = "/apis/hardgate.dev/v1alpha1/nodereports/node-1"
	lease  = "/apis/coordination.k8s.io/v1/namespaces/hardgate/leases/node-1"
)

func TestWritesOnChangeOnly(t *testing.T) {
	a := &apiServer{}
	s := start(t, a, time.Hour)
	s.Offer(statusOf(t, 1))
	await(t, "the lease", func() bool { return len(a.requests()) >= 4 })
	s.Offer(statusOf(t, 1))
	s.Offer(statusOf(t, 2))
	await(t, "the second status", func() bool { return a.status() == string(statusOf(t, 2)) })
	s.Offer(statusOf(t, 2))
	time.Sleep(50 * time.Millisecond)
	want := []string{
		"GET " + report, "PATCH " + report, "PATCH " + report + "/status", "PATCH " + lease,
		"PATCH " + report + "/status",
	}
	if diff := cmp.Diff(want, a.requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	a.change(func() {
		if o := a.report.Metadata.OwnerReferences; len(o) != 1 || o[0].Kind != "Node" || o[0].Name != "node-1" || o[0].UID != "uid-1" {
			t.Errorf("owners %+v", o)
		}
		if l := a.lease; l.Spec == nil || l.Spec.LeaseDurationSeconds != 3*3600 || l.Metadata.OwnerReferences[0].UID != "uid-1" {
			t.Errorf("lease %+v", l)
		}
	})
}

func TestStartsWithTheServersReport(t *testing.T) {
	a := &apiServer{report: &object{
		Metadata: meta{Name: "node-1", ResourceVersion: "7", OwnerReferences: owners("node-1", "uid-1")},
		// Another order and a field of a later version.
		Status: json.RawMessage(`{"later":1,"summary":{"unknown":0,"fail":1,"pass":0,"notApplicable":0,"manual":0,"exempt":0},"ruleSet":"r"}`),
	}}
	s := start(t, a, time.Hour)
	s.Offer(statusOf(t, 1))
	await(t, "the lease", func() bool { return len(a.requests()) >= 2 })
	if diff := cmp.Diff([]string{"GET " + report, "PATCH " + lease}, a.requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestNodeWasMadeAnew(t *testing.T) {
	a := &apiServer{report: &object{
		Metadata: meta{Name: "node-1", ResourceVersion: "7", OwnerReferences: owners("node-1", "uid-0")}, Status: statusOf(t, 1),
	}}
	s := start(t, a, time.Hour)
	s.Offer(statusOf(t, 1))
	await(t, "the lease", func() bool { return len(a.requests()) >= 3 })
	if diff := cmp.Diff([]string{"GET " + report, "PATCH " + report, "PATCH " + lease}, a.requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestReportIsRestoredAtHeartbeat(t *testing.T) {
	for name, damage := range map[string]func(*apiServer){
		"deleted": func(a *apiServer) { a.report = nil },
		"changed": func(a *apiServer) {
			a.report.Status, a.report.Metadata.ResourceVersion = json.RawMessage(`{"summary":{"pass":99}}`), "other"
		},
		"no status": func(a *apiServer) { a.report.Status, a.report.Metadata.ResourceVersion = nil, "other" },
	} {
		t.Run(name, func(t *testing.T) {
			a := &apiServer{}
			s := start(t, a, 100*time.Millisecond)
			want := statusOf(t, 1)
			s.Offer(want)
			await(t, "the status", func() bool { return a.status() == string(want) })
			a.change(func() { damage(a) })
			await(t, "the status again", func() bool { return a.status() == string(want) })
		})
	}
}

func TestRefusalsAreOutlived(t *testing.T) {
	for _, code := range []int{401, 403, 404, 409, 410, 422, 429, 500, 503} {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			t.Parallel()
			left := 2
			a := &apiServer{refuse: func(*http.Request) int {
				if left--; left >= 0 {
					return code
				}
				return 0
			}}
			s := start(t, a, time.Hour)
			s.Offer(statusOf(t, 1))
			s.Offer(statusOf(t, 2))
			await(t, "the latest", func() bool { return a.status() == string(statusOf(t, 2)) })
		})
	}
}

// A token that was replaced is read anew.
func TestTokenIsReplaced(t *testing.T) {
	a := &apiServer{}
	s := start(t, a, time.Hour)
	a.change(func() { a.token = "another" })
	s.Offer(statusOf(t, 1))
	await(t, "a refusal", func() bool { return len(a.requests()) > 0 })
	a.change(func() { a.token = bound })
	await(t, "the status", func() bool { return a.status() == string(statusOf(t, 1)) })
}

// What cannot be told apart from a failing lease must not hold up the report.
func TestFailingLeaseDoesNotHoldUpReports(t *testing.T) {
	a := &apiServer{refuse: func(r *http.Request) int {
		if strings.Contains(r.URL.Path, "/leases/") {
			return http.StatusForbidden
		}
		return 0
	}}
	s := start(t, a, time.Hour)
	for i := range int32(20) {
		want := statusOf(t, i+1)
		begin := time.Now()
		s.Offer(want)
		await(t, "the status", func() bool { return a.status() == string(want) })
		if took := time.Since(begin); took > 5*time.Second {
			t.Fatalf("change %d took %s", i, took)
		}
	}
}

func TestLeaseIsNotRenewedWhileScansHang(t *testing.T) {
	a := &apiServer{}
	a.token = bound
	s := start(t, a, 50*time.Millisecond)
	var mu sync.Mutex
	alive := error(&answerError{})
	s.Alive = func() error {
		mu.Lock()
		defer mu.Unlock()
		return alive
	}
	s.Offer(statusOf(t, 1))
	await(t, "the status", func() bool { return a.status() != "" })
	time.Sleep(200 * time.Millisecond)
	a.change(func() {
		if a.lease != nil {
			t.Error("the lease is renewed")
		}
	})
	mu.Lock()
	alive = nil
	mu.Unlock()
	await(t, "the lease", func() (ok bool) { a.change(func() { ok = a.lease != nil }); return ok })
}

func TestRetryIsBounded(t *testing.T) {
	s := &Sender{}
	for range 100 {
		if wait := s.retry(io.EOF); wait < firstRetry/2 || wait > maxRetry {
			t.Fatalf("try %d waits %s", s.fails, wait)
		}
	}
	if wait := s.retry(&answerError{Code: 429, After: 24 * time.Hour}); wait != maxAfter {
		t.Errorf("a server that asks for a day gets %s", wait)
	}
}
