package delivery

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
)

const asked = "GET " + report + " metadata cached"

// asking makes a sender ask often.
func asking(s *Sender) { s.SpecInterval = 20 * time.Millisecond }

func newStored(uid types.UID, generation int64, spec string) *object {
	o := &object{
		APIVersion: "hardgate.dev/v1alpha1", Kind: "NodeReport",
		Metadata: meta{Name: "node-1", UID: uid, Generation: generation, ResourceVersion: "of-" + string(uid), OwnerReferences: owners("node-1", "uid-1")},
	}
	if spec != "" {
		o.Spec = json.RawMessage(spec)
	}
	return o
}

func (a *apiServer) count(entry string) int {
	n := 0
	for _, r := range a.requests() {
		if r == entry {
			n++
		}
	}
	return n
}

// told waits for the next order.
func told(t *testing.T, s *Sender) Order {
	t.Helper()
	select {
	case o := <-s.Orders:
		return o
	case <-time.After(20 * time.Second):
		t.Fatal("no order")
		return Order{}
	}
}

func notTold(t *testing.T, s *Sender) {
	t.Helper()
	select {
	case o := <-s.Orders:
		t.Errorf("order %+v", o)
	default:
	}
}

// A report that asks for something gets nothing that was made without knowing of it,
// and the lease does not say that it stands.
func TestStatusWaitsForItsOrder(t *testing.T) {
	a := &apiServer{report: newStored("report-a", 3, `{"benchmarks":["b"]}`)}
	s := start(t, a, time.Hour)
	s.Offer(statusOf(t, 1), Order{})
	order := told(t, s)
	if want := (Order{Report: "report-a", Generation: 3, Spec: `{"benchmarks":["b"]}`}); order != want {
		t.Errorf("order %+v, want %+v", order, want)
	}
	s.Offer(statusOf(t, 2), Order{})
	s.Offer(statusOf(t, 3), Order{Report: "report-b", Generation: 3, Spec: order.Spec})
	s.Offer(statusOf(t, 4), Order{Report: "report-a", Generation: 2, Spec: order.Spec})
	time.Sleep(50 * time.Millisecond)
	if list := a.requests(); slices.ContainsFunc(list, func(r string) bool { return strings.HasPrefix(r, "PATCH") }) {
		t.Errorf("requests %q", list)
	}
	before := len(a.requests())
	s.Offer(statusOf(t, 5), order)
	await(t, "the lease", func() bool { return a.count("PATCH "+lease) == 1 })
	if got := a.status(); got != string(statusOf(t, 5)) {
		t.Errorf("status %s", got)
	}
	if n := len(a.requests()) - before; n > 4 { // two of them to look after the report, as the heartbeat is due
		t.Errorf("%d requests for a status and a lease", n)
	}
	a.change(func() {
		if string(a.report.Spec) != order.Spec || a.report.Metadata.Generation != 3 {
			t.Errorf("the spec is %s", a.report.Spec)
		}
	})
	notTold(t, s)
}

// Questions are small, and the report is read only if one of them tells of another
// spec.
func TestOrderIsNoticed(t *testing.T) {
	a := &apiServer{}
	s := start(t, a, time.Hour, asking)
	s.Offer(statusOf(t, 1), Order{})
	await(t, "questions", func() bool { return a.count(asked) >= 5 })
	notTold(t, s)
	a.ask(`{"benchmarks":["b"]}`)
	first := told(t, s)
	if first.Generation != 2 || first.Spec != `{"benchmarks":["b"]}` {
		t.Errorf("order %+v", first)
	}
	s.Offer(statusOf(t, 2), first)
	await(t, "the status", func() bool { return a.status() == string(statusOf(t, 2)) })
	a.ask(`{}`)
	second := told(t, s)
	if want := (Order{Report: first.Report, Generation: 3, Spec: `{}`}); second != want {
		t.Errorf("order %+v, want %+v: what is empty asks for something too", second, want)
	}
	a.ask("")
	if o := told(t, s); o != (Order{}) {
		t.Errorf("order %+v without a spec", o)
	}
	s.Offer(statusOf(t, 3), Order{})
	await(t, "the status", func() bool { return a.status() == string(statusOf(t, 3)) })
	notTold(t, s)
	if n := a.count("GET " + report); n != 4 {
		t.Errorf("the report is read %d times, want once and for each spec", n)
	}
}

// What is asked for often is not asked for more often because there is much to deliver.
func TestQuestionsAreNotMoreThanTheyMayBe(t *testing.T) {
	a := &apiServer{}
	s := start(t, a, 30*time.Millisecond, func(s *Sender) { s.SpecInterval = 200 * time.Millisecond })
	begin := time.Now()
	for i := int32(0); time.Since(begin) < time.Second; i++ {
		s.Offer(statusOf(t, i), Order{})
		time.Sleep(5 * time.Millisecond)
	}
	// The heartbeats look at the same and are questions too.
	if n := a.count(asked); n > 7 {
		t.Errorf("%d questions in a second", n)
	}
}

// The memory of one of several servers may be behind: what it says is asked again of
// what is stored, and an order that is no more is not given again.
func TestServersMemoryIsBehind(t *testing.T) {
	for name, cached := range map[string]*object{
		"of the generation before": newStored("report-a", 2, `{"benchmarks":["old"]}`),
		"of a report before":       newStored("report-0", 3, `{"benchmarks":["old"]}`),
	} {
		t.Run(name, func(t *testing.T) {
			a := &apiServer{report: newStored("report-a", 3, `{"benchmarks":["new"]}`), cached: cached}
			s := start(t, a, time.Hour, asking)
			s.Offer(statusOf(t, 1), Order{})
			order := told(t, s)
			s.Offer(statusOf(t, 2), order)
			await(t, "questions", func() bool { return a.count(asked) >= 5 })
			notTold(t, s)
			if got := a.status(); got != string(statusOf(t, 2)) || order.Generation != 3 {
				t.Errorf("status %s by %+v", got, order)
			}
		})
	}
}

// A question that fails costs nothing more, and holds nothing up.
func TestQuestionThatFails(t *testing.T) {
	a := &apiServer{refuse: func(r *http.Request) int {
		if r.URL.RawQuery == "resourceVersion=0" {
			return http.StatusTooManyRequests
		}
		return 0
	}}
	s := start(t, a, time.Hour, asking)
	s.Offer(statusOf(t, 1), Order{})
	await(t, "questions", func() bool { return a.count(asked) >= 5 })
	if n := a.count("GET " + report); n != 1 {
		t.Errorf("the report is read %d times", n)
	}
	begin := time.Now()
	s.Offer(statusOf(t, 2), Order{})
	await(t, "the status", func() bool { return a.status() == string(statusOf(t, 2)) })
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

// A report that is made anew counts its generations from 1 again, so that a status
// which names one would claim to be by a spec that it is not by.
func TestReportMadeAnew(t *testing.T) {
	old := Order{Report: "report-a", Generation: 2, Spec: `{"benchmarks":["b"]}`}
	for name, c := range map[string]struct {
		anew *object
		want Order
	}{
		"deleted":                        {nil, Order{}},
		"without a spec":                 {newStored("report-b", 1, ""), Order{}},
		"the same spec and generation":   {newStored("report-b", 2, old.Spec), Order{Report: "report-b", Generation: 2, Spec: old.Spec}},
		"another spec, same generation":  {newStored("report-b", 2, `{}`), Order{Report: "report-b", Generation: 2, Spec: `{}`}},
		"without a spec, its generation": {newStored("report-b", 2, ""), Order{}},
	} {
		t.Run(name, func(t *testing.T) {
			for when, refuse := range map[string]func(*http.Request) bool{
				"between questions":      func(r *http.Request) bool { return strings.Contains(r.URL.RawQuery, "resourceVersion=0") },
				"between read and write": func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/status") },
			} {
				t.Run(when, func(t *testing.T) {
					a := &apiServer{report: newStored(old.Report, old.Generation, old.Spec)}
					done := false
					a.refuse = func(r *http.Request) int {
						if refuse(r) && !done {
							a.report, done = nil, true
							if c.anew != nil {
								anew := *c.anew
								a.report = &anew
							}
						}
						return 0
					}
					s := start(t, a, time.Hour, asking)
					s.Offer(statusOf(t, 1), Order{})
					if o := told(t, s); o != old {
						t.Fatalf("order %+v", o)
					}
					s.Offer(statusOf(t, 2), old)
					if o := told(t, s); o != c.want {
						t.Fatalf("order %+v, want %+v", o, c.want)
					}
					time.Sleep(50 * time.Millisecond)
					if got := a.status(); got != "" {
						t.Errorf("the new report gets the old one's status: %s", got)
					}
					s.Offer(statusOf(t, 3), c.want)
					await(t, "the status", func() bool { return a.status() == string(statusOf(t, 3)) })
				})
			}
		})
	}
}

// Only the latest order matters to who has not taken the one before.
func TestOrderIsReplaced(t *testing.T) {
	s := &Sender{Orders: make(chan Order, 1)}
	for i := range int64(3) {
		s.have.order = Order{Report: "report-a", Generation: i + 1, Spec: "{}"}
		s.tell()
		s.tell()
	}
	if o := <-s.Orders; o.Generation != 3 {
		t.Errorf("order %+v", o)
	}
	notTold(t, s)
}

func TestOrderOf(t *testing.T) {
	m := meta{UID: "u", Generation: 4}
	got := map[string]Order{}
	for _, spec := range []string{"", "null", "{}"} {
		got[spec] = orderOf(m, json.RawMessage(spec))
	}
	want := map[string]Order{"": {}, "null": {}, "{}": {Report: "u", Generation: 4, Spec: "{}"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
}
