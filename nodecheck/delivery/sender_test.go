package delivery

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWritesOnChangeOnly(t *testing.T) {
	a := &apiServer{}
	s := start(t, a, time.Hour)
	s.Offer(statusOf(t, 1), Order{})
	await(t, "the lease", func() bool { return len(a.requests()) >= 4 })
	s.Offer(statusOf(t, 1), Order{})
	s.Offer(statusOf(t, 2), Order{})
	await(t, "the second status", func() bool { return a.status() == string(statusOf(t, 2)) })
	s.Offer(statusOf(t, 2), Order{})
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
		var spec leaseSpec
		if err := json.Unmarshal(a.lease.Spec, &spec); err != nil {
			t.Fatal(err)
		}
		if spec.LeaseDurationSeconds != 3*3600 || a.lease.Metadata.OwnerReferences[0].UID != "uid-1" {
			t.Errorf("lease %+v of %+v", spec, a.lease.Metadata)
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
	s.Offer(statusOf(t, 1), Order{})
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
	s.Offer(statusOf(t, 1), Order{})
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
			s.Offer(want, Order{})
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
			s.Offer(statusOf(t, 1), Order{})
			s.Offer(statusOf(t, 2), Order{})
			await(t, "the latest", func() bool { return a.status() == string(statusOf(t, 2)) })
		})
	}
}

// A token that was replaced is read anew.
func TestTokenIsReplaced(t *testing.T) {
	a := &apiServer{}
	s := start(t, a, time.Hour)
	a.change(func() { a.token = "another" })
	s.Offer(statusOf(t, 1), Order{})
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
		s.Offer(want, Order{})
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
	s.Offer(statusOf(t, 1), Order{})
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
