package controller

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"

	"github.com/hardgate-dev/hardgate/rollout"
	"github.com/hardgate-dev/hardgate/taint/controller"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// hardgatePath is where our kinds are.
const hardgatePath = "/apis/hardgate.dev/v1alpha1/"

var kinds = map[string]string{
	"workloadpolicies": "WorkloadPolicy", "exemptions": "Exemption", "namespacereports": "NamespaceReport", "nodereports": "NodeReport",
}

// lists is an API server by what it answers: the items of lists, by path. Everything else
// is empty, and every write is noted and done to nobody.
type lists struct {
	t      *testing.T
	server *httptest.Server

	mu     sync.Mutex
	items  map[string][]any
	before func(r *http.Request) // is told of each request
	refuse string                // a part of the paths that may not be written
	faster string                // one of those that somebody else has written meanwhile
	writes []string
	bodies map[string]string // of the last write to each path
	date   time.Time         // zero for the right one
}

func newLists(t *testing.T, namespaces ...string) *lists {
	t.Helper()
	l := &lists{t: t, items: map[string][]any{}, bodies: map[string]string{}}
	old := time.Now().Add(-90 * 24 * time.Hour).UTC().Format(time.RFC3339)
	for _, name := range namespaces {
		l.items["/api/v1/namespaces"] = append(l.items["/api/v1/namespaces"], map[string]any{
			"kind": "Namespace", "apiVersion": "v1", "metadata": map[string]any{"name": name, "uid": name, "creationTimestamp": old},
		})
		long := time.Now().Add(-30 * 24 * time.Hour).UTC().Format(time.RFC3339)
		l.items[hardgatePath+"namespacereports"] = append(l.items[hardgatePath+"namespacereports"], map[string]any{
			"kind": "NamespaceReport", "apiVersion": "hardgate.dev/v1alpha1", "metadata": map[string]any{"name": name, "resourceVersion": "1"},
			"status": map[string]any{"hash": "x", "controls": []any{map[string]any{
				"id": "privileged", "cleanSince": long, "modes": []any{map[string]any{"policy": "p", "mode": "Warn", "reached": "Warn", "since": long}},
			}}},
		})
	}
	l.items[hardgatePath+"namespacereports"] = append(l.items[hardgatePath+"namespacereports"], map[string]any{
		"kind": "NamespaceReport", "apiVersion": "hardgate.dev/v1alpha1", "metadata": map[string]any{"name": "cluster.scoped", "resourceVersion": "1"},
		"status": map[string]any{"heartbeat": map[string]any{"since": old, "last": time.Now().UTC().Format(time.RFC3339)}},
	})
	l.policy(1, false)
	l.server = httptest.NewServer(l)
	t.Cleanup(l.server.Close)
	return l
}

// policy is the one policy there is, in a generation.
func (l *lists) policy(generation int, paused bool) {
	l.items[hardgatePath+"workloadpolicies"] = []any{map[string]any{
		"kind": "WorkloadPolicy", "apiVersion": "hardgate.dev/v1alpha1", "metadata": map[string]any{"name": "p", "uid": "p", "generation": generation},
		"spec": map[string]any{"controls": []any{map[string]any{"id": "privileged", "mode": "Audit"}}, "rollout": map[string]any{"paused": paused}},
	}}
}

func (l *lists) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.before != nil {
		l.before(r)
	}
	w.Header().Set("Content-Type", "application/json")
	if !l.date.IsZero() {
		w.Header().Set("Date", l.date.UTC().Format(http.TimeFormat))
	}
	answer := func(code int, body any) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(body)
	}
	status := func(code int, message string) {
		answer(code, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message})
	}
	switch {
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/clusterreports"):
		status(http.StatusForbidden, `admission webhook "self-test.hardgate.dev" denied the request: `+registration.SelfTestDenial("v1"))
	case r.Method != http.MethodGet:

		l.writes = append(l.writes, r.Method+" "+r.URL.Path)
		body, _ := io.ReadAll(r.Body)
		l.bodies[r.URL.Path] = string(body)
		if l.refuse != "" && strings.Contains(r.URL.Path, l.refuse) {
			status(http.StatusUnprocessableEntity, "refused")
			return
		}
		if l.faster != "" && strings.Contains(r.URL.Path, l.faster) {
			answer(http.StatusConflict, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": http.StatusConflict, "reason": "Conflict"})
			return
		}
		answer(http.StatusOK, map[string]any{"metadata": map[string]any{"name": "x", "resourceVersion": "2"}})
	case strings.HasSuffix(r.URL.Path, "/validatingwebhookconfigurations/hardgate"):
		answer(http.StatusOK, registration.Build(registration.Options{URL: "https://localhost:1", Enforced: []string{"gone"}}))
	case strings.HasPrefix(r.URL.Path, "/api/v1/namespaces/") && strings.Count(r.URL.Path, "/") == 4:
		for _, ns := range l.items["/api/v1/namespaces"] {
			if name := ns.(map[string]any)["metadata"].(map[string]any)["name"]; strings.HasSuffix(r.URL.Path, fmt.Sprint("/", name)) {
				answer(http.StatusOK, ns)
				return
			}
		}
		status(http.StatusNotFound, "not found")
	case strings.HasSuffix(r.URL.Path, "/hardgate"), strings.HasSuffix(r.URL.Path, "/cluster"):
		status(http.StatusNotFound, "not found")
	default:
		items := l.items[r.URL.Path]
		if items == nil {
			items = []any{}
		}
		list := map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{}, "items": items}
		if kind, ours := strings.CutPrefix(r.URL.Path, hardgatePath); ours {
			list["apiVersion"], list["kind"] = "hardgate.dev/v1alpha1", kinds[kind]+"List"
		}
		answer(http.StatusOK, list)
	}
}

// controller leads by this API server.
func (l *lists) controller() *Controller {
	l.t.Helper()
	leader := controller.Leader{Config: &rest.Config{Host: l.server.URL}, May: func() error { return nil }, Events: record.NewFakeRecorder(100)}
	c, err := New(leader, prometheus.NewRegistry(), Options{Namespaces: []string{"hardgate-system"}, Interval: time.Hour, Tick: 10 * time.Second, Provider: "none"})
	if err != nil {
		l.t.Fatal(err)
	}
	return c
}

func planned(namespaces ...string) (steps []rollout.Promotion) {
	for _, ns := range namespaces {
		steps = append(steps, rollout.Promotion{Policy: "p", Namespace: ns, Control: "privileged"})
	}
	return steps
}

func (l *lists) promoted(c *Controller) bool {
	return len(c.Events.(*record.FakeRecorder).Events) > 0
}

// What was so when a round began and is not any more promotes nothing: it takes its time
// to audit once more what is due.
func TestChangedMeanwhile(t *testing.T) {
	tests := map[string]struct {
		change func(*lists)
		want   bool
	}{
		"nothing":                {func(*lists) {}, true},
		"the policy is paused":   {func(l *lists) { l.policy(2, true) }, false},
		"an Exemption has ended": {func(l *lists) { l.items[hardgatePath+"exemptions"] = nil }, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := newLists(t, "shop")
			l.items[hardgatePath+"exemptions"] = []any{map[string]any{
				"kind": "Exemption", "apiVersion": "hardgate.dev/v1alpha1", "metadata": map[string]any{"name": "e", "uid": "e", "generation": 1},
				"spec": map[string]any{
					"controls": []any{"host-path"}, "objects": map[string]any{"namespaces": []any{"shop"}}, "reason": "moving", "owner": "team-shop",
					"expires": time.Now().Add(90 * 24 * time.Hour).UTC().Format(time.RFC3339),
				},
			}}
			l.before = func(r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/namespaces/shop/pods") { // the last look
					tt.change(l)
				}
			}
			c := l.controller()
			wait, err := c.round(t.Context(), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if got := l.promoted(c); got != tt.want {
				t.Errorf("promoted: %v", got)
			}
			if !tt.want && wait > time.Second {
				t.Errorf("looked at again in %s", wait)
			}
		})
	}
}

// A misspelt Exemption stops promotions, unless it is plainly about nodes alone.
func TestMisspeltExemption(t *testing.T) {
	for name, tt := range map[string]struct {
		spec map[string]any
		want bool
	}{
		"of objects": {map[string]any{"controls": []any{"host-path"}, "objects": map[string]any{"namespace": "shop"}}, false},
		"of nodes":   {map[string]any{"controls": []any{"su-restricted"}, "nodes": map[string]any{"name": "a"}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLists(t, "shop")
			l.items[hardgatePath+"exemptions"] = []any{map[string]any{
				"kind": "Exemption", "apiVersion": "hardgate.dev/v1alpha1", "metadata": map[string]any{"name": "e", "uid": "e", "generation": 1}, "spec": tt.spec,
			}}
			c := l.controller()
			if _, err := c.round(t.Context(), time.Now()); err != nil {
				t.Fatal(err)
			}
			if got := l.promoted(c); got != tt.want {
				t.Errorf("promoted: %v", got)
			}
		})
	}
}

// Nothing is promoted where no webhook was heard of, and the policy says so.
func TestNoHeartbeat(t *testing.T) {
	l := newLists(t, "shop")
	reports := l.items[hardgatePath+"namespacereports"]
	delete(reports[len(reports)-1].(map[string]any)["status"].(map[string]any), "heartbeat")
	c := l.controller()
	if _, err := c.round(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if l.promoted(c) {
		t.Error("promoted")
	}
	if got := l.bodies[hardgatePath+"workloadpolicies/p/status"]; !strings.Contains(got, "Enforce, once this ends: no webhook has been heard of yet") {
		t.Errorf("the policy says %s", got)
	}
}

// A tally from a clock that is ahead is put right in the report; the webhook's others and
// its heartbeat are its own.
func TestTallyFromAClockAhead(t *testing.T) {
	l := newLists(t, "shop", "desk")
	reports := l.items[hardgatePath+"namespacereports"]
	admission := func(i int, last time.Time) {
		reports[i].(map[string]any)["status"].(map[string]any)["admission"] = []any{map[string]any{
			"control": "host-path", "count": 3, "last": last.UTC().Format(time.RFC3339), "object": "Pod/x",
		}}
	}
	admission(0, time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC))
	admission(1, time.Now())
	c := l.controller()
	now := time.Now()
	if _, err := c.round(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	want := `"admission":[{"control":"host-path","count":3,"last":"` + now.UTC().Format(time.RFC3339) + `","object":"Pod/x"}]`
	if got := l.bodies[hardgatePath+"namespacereports/shop/status"]; !strings.Contains(got, want) {
		t.Errorf("of the clock ahead: %s", got)
	}
	for _, name := range []string{"desk", "cluster.scoped"} {
		if got := l.bodies[hardgatePath+"namespacereports/"+name+"/status"]; got == "" || strings.Contains(got, "admission") || strings.Contains(got, "heartbeat") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// What there is no time for in a round is for the next one.
func TestConfirmingEnds(t *testing.T) {
	l := newLists(t, "a", "b", "c")
	c := l.controller()
	s, err := c.read(t.Context(), time.Now())
	if err == nil {
		err = c.audit(t.Context(), s)
	}
	if err != nil {
		t.Fatal(err)
	}
	in := c.in(t.Context(), s)
	c.look(t.Context(), s, &in, planned("a", "b", "c"), time.Now().Add(-time.Second))
	if !in.Confirmed["a"] || len(in.Confirmed) != 1 || !c.more {
		t.Errorf("confirmed are %v, and there is more: %v", in.Confirmed, c.more)
	}
}

// Who owns which field of a report is larger than what is read of it, and of no use here.
func TestKeepsNoManagedFields(t *testing.T) {
	l := newLists(t, "a")
	l.items[hardgatePath+"namespacereports"][0].(map[string]any)["metadata"] = map[string]any{
		"name": "a", "managedFields": []any{map[string]any{"manager": "hardgate-controller", "operation": "Update"}},
	}
	s, err := l.controller().read(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if r := s.reports["a"]; r == nil || r.ManagedFields != nil || len(r.Status.Controls) != 1 {
		t.Errorf("%+v", r)
	}
}

// One report that cannot be written keeps nothing else from being written.
func TestOneReportIsRefused(t *testing.T) {
	l := newLists(t, "a", "b")
	l.refuse = "namespacereports/a/"
	c := l.controller()
	if _, err := c.round(t.Context(), time.Now()); err == nil {
		t.Error("nobody is told")
	}
	for _, want := range []string{"PATCH " + hardgatePath + "namespacereports/b/status", "PUT /apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hardgate"} {
		if !slices.Contains(l.writes, want) {
			t.Errorf("no %s among %q", want, l.writes)
		}
	}
	if l.promoted(c) {
		t.Error("a promotion is told of that may not have been written")
	}
}

// In a large cluster the webhook always writes in some report while the controller does: it is
// told all the same what is written, and nothing of what is not.
func TestWebhookIsFaster(t *testing.T) {
	for faster, tt := range map[string]struct {
		promoted int
		policy   bool
	}{
		"":                                 {2, true},
		"namespacereports/cluster.scoped/": {2, true},
		"namespacereports/a/":              {1, false}, // it would say that a is promoted
		"namespacereports/":                {0, false},
	} {
		t.Run(faster, func(t *testing.T) {
			l := newLists(t, "a", "b")
			l.faster = faster
			c := l.controller()
			wait, err := c.round(t.Context(), time.Now())
			if err != nil || (wait == time.Second) != (faster != "") {
				t.Errorf("again in %s, %v", wait, err)
			}
			want := map[int]string{2: "Promoted privileged in a to Enforce and 1 more.", 1: "Promoted privileged in b to Enforce."}[tt.promoted]
			got := ""
			if l.promoted(c) {
				got = <-c.Events.(*record.FakeRecorder).Events
			}
			if !strings.HasSuffix(got, want) || (got == "") != (want == "") {
				t.Errorf("said %q, want %q", got, want)
			}
			if _, written := l.bodies[hardgatePath+"workloadpolicies/p/status"]; written != tt.policy {
				t.Errorf("the policy's status is written: %t", written)
			}
		})
	}
}

// A clock that was set to another day decides nothing, in whichever direction it was. What
// is enforced fails closed all the same, and what is not, does not.
func TestClock(t *testing.T) {
	for ahead, wrong := range map[time.Duration]bool{0: false, 5 * time.Minute: false, -5 * time.Minute: false, 8 * 24 * time.Hour: true, -8 * 24 * time.Hour: true} {
		l := newLists(t, "shop")
		l.date = time.Now().Add(-ahead)
		c := l.controller()
		_, err := c.round(t.Context(), time.Now())
		if (err != nil) != wrong || err != nil && !strings.Contains(err.Error(), "differ by 192h0m0s") {
			t.Errorf("%s ahead: %v", ahead, err)
		}
		if wrong && !slices.Equal(l.writes, []string{"PUT /apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hardgate"}) {
			t.Errorf("%s ahead: %q", ahead, l.writes)
		}
	}
}

// Of several API servers one is off: what a round has begun by is its answer, and what says
// that the clocks agree is another's.
func TestOneServerIsOff(t *testing.T) {
	for _, off := range []time.Duration{8 * 24 * time.Hour, -8 * 24 * time.Hour} {
		l := newLists(t, "shop")
		c := l.controller()
		if _, err := c.round(t.Context(), time.Now().Add(off)); err == nil || l.promoted(c) {
			t.Errorf("begun %s off: %v, promoted: %t", off, err, l.promoted(c))
		}
	}
}

// An audit that was dated by a server that is ahead is over when any other is.
func TestAuditOfAClockAhead(t *testing.T) {
	l := newLists(t, "shop")
	c := l.controller()
	if _, err := c.round(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	c.last.Finished = time.Now().Add(8 * 24 * time.Hour)
	if _, err := c.round(t.Context(), time.Now()); err != nil || c.last.Finished.After(time.Now().Add(time.Minute)) {
		t.Errorf("the last audit is of %s, %v", c.last.Finished, err)
	}
}

// What an audit goes by is the clock that the round has begun by, though a server that is
// off answers meanwhile.
func TestAuditAnsweredByAClockThatIsOff(t *testing.T) {
	l := newLists(t, "shop")
	c := l.controller()
	s, err := c.read(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	o := c.auditing(t.Context(), s)
	l.date = time.Now().Add(-8 * 24 * time.Hour)
	if _, err := c.read(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if now := o.Now(); time.Since(now).Abs() > time.Minute {
		t.Errorf("it is judged by %s", now)
	}
}
