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

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
)

// apiServer holds one report and one lease.
type apiServer struct {
	mu      sync.Mutex
	report  *object
	lease   *object
	version int
	log     []string // method and path of each request, and how little is asked for
	// cached is what a question gets that what is in memory suffices for, while it is
	// set: an older state.
	cached *object
	// refuse answers in the server's place if it returns a status.
	refuse func(*http.Request) int
	token  string
}

func (a *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	metadata := strings.Contains(r.Header.Get("Accept"), "PartialObjectMetadata")
	entry := r.Method + " " + r.URL.Path
	if r.Method == http.MethodGet && metadata {
		entry += " metadata"
	}
	if r.URL.Query().Get("resourceVersion") == "0" {
		entry += " cached"
	}
	a.log = append(a.log, entry)
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
			r.URL.Query().Get("fieldManager") != FieldManager || r.URL.Query().Get("force") != "true" ||
			in.Kind == "NodeReport" && (in.Spec != nil || in.Metadata.UID != "" || in.Metadata.Generation != 0) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	a.version++
	found := a.report
	switch {
	case strings.Contains(r.URL.Path, "/leases/"):
		a.lease = &in
		_ = json.NewEncoder(w).Encode(in)
		return
	case a.report == nil && (r.Method == http.MethodGet || strings.HasSuffix(r.URL.Path, "/status")):
		w.WriteHeader(http.StatusNotFound)
		return
	case r.Method == http.MethodGet:
		if a.cached != nil && strings.HasSuffix(entry, "cached") {
			found = a.cached
		}
	case in.Metadata.ResourceVersion != "" && in.Metadata.ResourceVersion != a.report.Metadata.ResourceVersion:
		w.WriteHeader(http.StatusConflict)
		return
	case strings.HasSuffix(r.URL.Path, "/status"):
		a.report.Status, a.report.Metadata.ResourceVersion = in.Status, strconv.Itoa(a.version)
	default:
		in.Metadata.UID, in.Metadata.Generation = types.UID("report-"+strconv.Itoa(a.version)), 1
		if a.report != nil {
			in.Status, in.Spec = a.report.Status, a.report.Spec
			in.Metadata.UID, in.Metadata.Generation = a.report.Metadata.UID, a.report.Metadata.Generation
		}
		in.Metadata.ResourceVersion = strconv.Itoa(a.version)
		a.report, found = &in, &in
	}
	out := *found
	if metadata {
		out.Status, out.Spec = nil, nil
	}
	_ = json.NewEncoder(w).Encode(out)
}

// change calls f while no request is served.
func (a *apiServer) change(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

// ask puts a spec into the report, or takes it away.
func (a *apiServer) ask(spec string) {
	a.change(func() {
		a.version++
		o := *a.report
		o.Spec = json.RawMessage(spec)
		if spec == "" {
			o.Spec = nil
		}
		o.Metadata.Generation++
		o.Metadata.ResourceVersion = strconv.Itoa(a.version)
		a.report = &o
	})
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

// start runs a sender that asks for orders once in an hour, unless it is changed.
func start(t *testing.T, a *apiServer, heartbeat time.Duration, changes ...func(*Sender)) *Sender {
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
		Node: "node-1", Namespace: "hardgate", Heartbeat: heartbeat, SpecInterval: time.Hour, Orders: make(chan Order, 1),
		Alive: func() error { return nil }, Metrics: NewMetrics(prometheus.NewRegistry()),
	}
	for _, change := range changes {
		change(s)
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
