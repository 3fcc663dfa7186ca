package webhook

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

func at(minute int) metav1.Time { return metav1.Unix(int64(1e9+60*minute), 0) }

func away(from, until int) v1alpha1.HeartbeatPause {
	return v1alpha1.HeartbeatPause{From: at(from), Until: at(until)}
}

func TestHeartbeatGoesOn(t *testing.T) {
	beat := func(since, last int, gaps ...v1alpha1.HeartbeatPause) *v1alpha1.Heartbeat {
		return &v1alpha1.Heartbeat{Since: at(since), Last: at(last), Gaps: gaps}
	}
	tests := map[string]struct {
		before *v1alpha1.Heartbeat
		at     int
		want   *v1alpha1.Heartbeat
	}{
		"the first":            {nil, 5, beat(5, 5)},
		"the next":             {beat(1, 5), 7, beat(1, 7)},
		"a late one":           {beat(1, 5), 15, beat(1, 15)},
		"after a gap":          {beat(1, 5), 16, beat(1, 16, away(5, 16))},
		"after another":        {beat(1, 30, away(5, 16)), 90, beat(1, 90, away(5, 16), away(30, 90))},
		"after it, no gap":     {beat(1, 30, away(5, 16)), 31, beat(1, 31, away(5, 16))},
		"written by another":   {beat(1, 9), 8, nil},
		"at the same time":     {beat(1, 8), 8, nil},
		"a clock was ahead":    {beat(1, 90), 8, beat(8, 8)},
		"a clock was a bit so": {beat(1, 17), 8, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, goesOn(tt.before, at(tt.at).Time)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	h := beat(0, 0)
	for i := 1; i <= 30; i++ {
		h = goesOn(h, at(20*i).Time)
	}
	if len(h.Gaps) != maxGaps || !h.Gaps[0].From.Equal(new(at(0))) || !h.Gaps[0].Until.Equal(new(at(220))) || !h.Gaps[19].Until.Equal(new(at(600))) {
		t.Errorf("%d gaps, the oldest %v", len(h.Gaps), h.Gaps[0])
	}
}

// A cluster that is shut down every night is heard of in the day, for as long as it is looked
// at: what is joined neither grows nor shrinks.
func TestManyGaps(t *testing.T) {
	const hour, day = 60, 24 * 60
	h := goesOn(nil, at(0).Time)
	for minute := range 100 * day {
		if minute%day < 10*hour && minute%5 == 0 {
			if next := goesOn(h, at(minute).Time); next != nil {
				h = next
			}
		}
	}
	var away time.Duration
	for i, g := range h.Gaps {
		away += g.Until.Sub(g.From.Time)
		if i > 0 && g.From.Before(&h.Gaps[i-1].Until) {
			t.Errorf("gaps %v overlap", h.Gaps[i-1:i+1])
		}
	}
	if got := away / 99; got != 14*time.Hour+5*time.Minute {
		t.Errorf("away for %s a night", got)
	}
}

// A heartbeat is of a self-test that was answered, by whichever replica, and of nothing else.
func TestHeartbeat(t *testing.T) {
	stored := &report{}
	server := httptest.NewServer(stored)
	defer server.Close()
	client, err := dynamic.NewForConfig(&rest.Config{Host: server.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	reports := client.Resource(v1alpha1.GroupVersion.WithResource("namespacereports"))
	last, exists := time.Time{}, true
	gate, _ := newGate(t)
	beats := func() bool {
		t.Helper()
		before := stored.version
		if err := gate.account(t.Context(), reports, func() (time.Time, bool) { return last, exists }); err != nil {
			t.Fatal(err)
		}
		return stored.version > before
	}
	ask(t, gate, accountReview("kim"))
	if beats() {
		t.Error("it was asked by somebody, and not by the controller")
	}
	selfTest := func(name string) {
		post(t, gate, registration.SelfTestPath, fmt.Sprintf(`{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1",
			"kind":{"group":"hardgate.dev","version":"v1alpha1","kind":"ClusterReport"},"resource":{"group":"hardgate.dev","version":"v1alpha1","resource":"clusterreports"},
			"name":%q,"operation":"CREATE","userInfo":{"username":"ann"},"object":{"metadata":{"name":"x"}},"oldObject":null,"dryRun":true}}`, name))
	}
	selfTest("cluster")
	if beats() {
		t.Error("it was asked about the report")
	}
	selfTest("self-test")
	if exists = false; beats() {
		t.Error("nobody has made the report")
	}
	if exists = true; !beats() || time.Since(stored.status.Heartbeat.Last.Time) > time.Minute {
		t.Fatalf("%+v", stored.status)
	}
	if last = stored.status.Heartbeat.Last.Time; beats() {
		t.Error("another replica has written it just now")
	}
	past := time.Now().Add(-30 * time.Second)
	gate.answered.Store(&past)
	last = time.Time{}
	if beats() {
		t.Error("the informers have not seen it, and it was later")
	}
	old := time.Now().Add(time.Hour)
	gate.answered.Store(&old)
	if last = stored.status.Heartbeat.Last.Time; !beats() || len(stored.status.Heartbeat.Gaps) != 1 {
		t.Errorf("after an hour: %+v", stored.status.Heartbeat)
	}
	// One by a clock that is far ahead is put right, and of its gaps nothing is left: they would
	// count as time in which nobody was heard of for as long as that clock was ahead.
	gate.answered.Store(&past)
	if last = stored.status.Heartbeat.Last.Time; !beats() || stored.status.Heartbeat.Last.After(time.Now()) || len(stored.status.Heartbeat.Gaps) > 0 {
		t.Errorf("after a clock that was ahead: %+v", stored.status.Heartbeat)
	}
}

// A heartbeat is of what is written: what was counted meanwhile is not, and a write for each of
// thousands of namespaces takes its time.
func TestHeartbeatIsOfWhatIsWritten(t *testing.T) {
	gate, _ := newGate(t)
	before, stored := at(0).Time, &report{}
	gate.answered.Store(&before)
	gate.tallies.add(cell{"shop", "host-pid"}, tally("host-pid", 1, 7, "Pod/x"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if stored.version == 0 {
			later := at(7).Time
			gate.answered.Store(&later)
		}
		stored.ServeHTTP(w, req)
	}))
	defer server.Close()
	client, err := dynamic.NewForConfig(&rest.Config{Host: server.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	known := func() (time.Time, bool) { return time.Time{}, true }
	if err := gate.account(t.Context(), client.Resource(v1alpha1.GroupVersion.WithResource("namespacereports")), known); err != nil {
		t.Fatal(err)
	}
	if h := stored.status.Heartbeat; h == nil || !h.Last.Time.Equal(before) || len(stored.status.Admission) != 1 {
		t.Errorf("heartbeat %+v, tallies %+v", h, stored.status.Admission)
	}
}

func TestTrimHeartbeat(t *testing.T) {
	for last, want := range map[string]time.Time{"2001-09-09T01:46:40Z": at(0).Time, "": {}, "soon": {}} {
		got := trimReport(&unstructured.Unstructured{Object: map[string]any{
			"metadata": map[string]any{"name": "cluster.scoped"}, "status": map[string]any{"heartbeat": map[string]any{"last": last}},
		}})
		if !got.beat.Equal(want) {
			t.Errorf("%q: %s", last, got.beat)
		}
	}
}
