package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/review"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
	"github.com/hardgate-dev/hardgate/webhook/verdict"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

func tally(control string, count, at int64, object string) v1alpha1.AdmissionTally {
	return v1alpha1.AdmissionTally{Control: control, Count: count, Last: metav1.Unix(at, 0), Object: object}
}

// What is counted is what would have been refused: nothing that stood there before, that
// is exempt, or that nobody asked to store.
func TestTallyNotes(t *testing.T) {
	fails := func(v verdict.Violation) verdict.Decision {
		v.Finding = policy.Finding{Path: "spec.hostPID"}
		return verdict.Decision{ID: "host-pid", Status: control.Fail, Mode: control.Warn, Violations: []verdict.Violation{v}}
	}
	tests := map[string]struct {
		dryRun   bool
		decision verdict.Decision
		want     int
	}{
		"new":      {decision: fails(verdict.Violation{}), want: 1},
		"standing": {decision: fails(verdict.Violation{Standing: true})},
		"exempt":   {decision: fails(verdict.Violation{Exemption: "e"})},
		"dry run":  {dryRun: true, decision: fails(verdict.Violation{})},
		"passes":   {decision: verdict.Decision{ID: "host-pid", Status: control.Pass}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			counted := newTallies()
			r := &review.Request{Namespace: "shop", Name: "web", DryRun: tt.dryRun, Kind: workload.Kind{Version: "v1", Kind: "Pod"}, Workload: &workload.Object{GenerateName: "web-"}}
			counted.note(r, []verdict.Decision{tt.decision}, time.Unix(7, 0))
			got := counted.take()["shop"]
			if len(got) != tt.want {
				t.Fatalf("%+v", got)
			}
			if tt.want == 1 && !cmp.Equal(got[0], tally("host-pid", 1, 7, "Pod/web-*")) {
				t.Errorf("%+v", got[0])
			}
		})
	}
}

func TestTalliesMerge(t *testing.T) {
	got := together(
		[]v1alpha1.AdmissionTally{tally("b", 2, 10, "Pod/late"), tally("c", 1, 1, "Pod/x")},
		[]v1alpha1.AdmissionTally{tally("b", 3, 9, "Pod/early"), tally("a", 1, 5, "Pod/y")},
	)
	want := []v1alpha1.AdmissionTally{tally("a", 1, 5, "Pod/y"), tally("b", 5, 10, "Pod/late"), tally("c", 1, 1, "Pod/x")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// report is an API server with one NamespaceReport, which demands the resourceVersion.
type report struct {
	mu      sync.Mutex
	version int
	status  v1alpha1.NamespaceReportStatus
	refuse  int // so many writes
}

func (r *report) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if req.Method == http.MethodPatch {
		body, _ := io.ReadAll(req.Body)
		var sent v1alpha1.NamespaceReport
		if err := json.Unmarshal(body, &sent); err != nil || sent.ResourceVersion != fmt.Sprint(r.version) || r.refuse > 0 {
			r.refuse--
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Conflict","code":409}`)
			return
		}
		r.version++
		merged, _ := jsonpatch.MergePatch(encoded(v1alpha1.NamespaceReport{Status: r.status}), body)
		var next v1alpha1.NamespaceReport
		_ = json.Unmarshal(merged, &next)
		r.status = next.Status
	}
	stored := v1alpha1.NamespaceReport{Status: r.status}
	stored.APIVersion, stored.Kind, stored.Name, stored.ResourceVersion = v1alpha1.GroupVersion.String(), "NamespaceReport", "shop", fmt.Sprint(r.version)
	_ = json.NewEncoder(w).Encode(stored)
}

func encoded(r v1alpha1.NamespaceReport) []byte {
	text, _ := json.Marshal(r)
	return text
}

// Two replicas that write at the same time lose nothing.
func TestTalliesOfTwoReplicas(t *testing.T) {
	stored := &report{refuse: 3}
	server := httptest.NewServer(stored)
	defer server.Close()
	client, err := dynamic.NewForConfig(&rest.Config{Host: server.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	reports := client.Resource(v1alpha1.GroupVersion.WithResource("namespacereports"))
	var all sync.WaitGroup
	for range 2 {
		replica := newTallies()
		all.Go(func() {
			for n := range 50 {
				replica.add(cell{"shop", "host-pid"}, tally("host-pid", 1, int64(n), "Pod/x"))
				_ = replica.write(t.Context(), reports) // a conflict is tried again
			}
			for replica.write(t.Context(), reports) != nil {
				continue
			}
		})
	}
	all.Wait()
	if got := stored.status.Admission; len(got) != 1 || got[0].Count != 100 || got[0].Last.Unix() != 49 {
		t.Errorf("%+v", got)
	}
}

// What would be warned of at most, whatever is enforced, counts against no rollout.
func TestTalliesKnowTheCeiling(t *testing.T) {
	gate, _ := newGate(t)
	book, errs := ruling.Compile([]v1alpha1.WorkloadPolicy{{Spec: v1alpha1.WorkloadPolicySpec{
		Mode: "Off", Controls: []v1alpha1.ControlSetting{{ID: "default-service-account", Mode: "Warn"}},
	}}})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	gate.SetBook(book)
	ask(t, gate, accountReview("system:serviceaccount:kube-system:service-account-controller"))
	if got := gate.tallies.take(); len(got) > 0 {
		t.Errorf("the controller manager's account counts: %v", got)
	}
	ask(t, gate, accountReview("kim"))
	if got := gate.tallies.take(); len(got) == 0 {
		t.Error("a user's account does not count")
	}
}

// Where no report is made, what was counted is not kept for ever.
func TestTalliesOfNoReport(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	client, err := dynamic.NewForConfig(&rest.Config{Host: server.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	counted := newTallies()
	counted.add(cell{"gone", "host-pid"}, tally("host-pid", 1, time.Now().Add(-time.Hour).Unix(), "Pod/x"))
	counted.add(cell{"new", "host-pid"}, tally("host-pid", 1, time.Now().Unix(), "Pod/x"))
	if err := counted.write(t.Context(), client.Resource(v1alpha1.GroupVersion.WithResource("namespacereports"))); err != nil {
		t.Errorf("nobody goes by it, and the heartbeat waits for it: %v", err)
	}
	if got := counted.take(); len(got) != 1 || len(got["new"]) != 1 {
		t.Errorf("kept %v", got)
	}
}

// The heartbeat is written where all tallies are: that another replica was faster with one of
// many, as one always is in a large cluster, is made good at once.
func TestTalliesOfAFasterReplica(t *testing.T) {
	stored := &report{refuse: 2}
	server := httptest.NewServer(stored)
	defer server.Close()
	client, err := dynamic.NewForConfig(&rest.Config{Host: server.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	counted := newTallies()
	counted.add(cell{"shop", "host-pid"}, tally("host-pid", 1, 7, "Pod/x"))
	if err := counted.write(t.Context(), client.Resource(v1alpha1.GroupVersion.WithResource("namespacereports"))); err != nil || len(stored.status.Admission) != 1 {
		t.Errorf("%v; stored %+v", err, stored.status.Admission)
	}
}

// Thousands of namespaces in which something is wrong are written in less time than a
// heartbeat may miss.
func TestTalliesOfManyNamespaces(t *testing.T) {
	server := httptest.NewServer(&report{})
	defer server.Close()
	informers, err := NewInformers(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	counted := newTallies()
	for n := range 40 {
		counted.add(cell{fmt.Sprint("shop-", n), "host-pid"}, tally("host-pid", 1, 7, "Pod/x"))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := counted.write(ctx, informers.reportClient); err != nil {
		t.Error(err)
	}
}
