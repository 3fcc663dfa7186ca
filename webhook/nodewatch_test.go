package webhook

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// apiServer serves lists and watches of one object of each resource. A resource that was
// never set is not installed.
type apiServer struct {
	mu      sync.Mutex
	now     map[string]string  // resource -> object, or empty
	events  map[string][]event // of each resource
	version int
	changed chan struct{} // closed with the next change
}

type event struct {
	version      int
	kind, object string
}

var kinds = map[string][2]string{ // resource -> apiVersion, kind
	"namespaces": {"v1", "Namespace"}, "serviceaccounts": {"v1", "ServiceAccount"},
	"workloadpolicies": {"hardgate.dev/v1alpha1", "WorkloadPolicy"}, "nodepolicies": {"hardgate.dev/v1alpha1", "NodePolicy"},
	"exemptions": {"hardgate.dev/v1alpha1", "Exemption"},
}

// set gives a resource an object instead of the one it had; an empty name gives it none.
func (s *apiServer) set(resource, name, annotations, spec string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tell := func(kind, object string) {
		s.events[resource] = append(s.events[resource], event{s.version, kind, object})
	}
	s.version++
	if old := s.now[resource]; old != "" {
		tell("DELETED", old)
	}
	s.now[resource] = ""
	if name != "" {
		s.version++
		s.now[resource] = fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"metadata":{"name":%q,"uid":"u%d","resourceVersion":"%d","annotations":%s},"spec":%s}`,
			kinds[resource][0], kinds[resource][1], name, s.version, s.version, annotations, spec)
		tell("ADDED", s.now[resource])
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	resource := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	s.mu.Lock()
	object, installed := s.now[resource]
	version := s.version
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	status := func(code int, reason string) {
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"code":%d}`, reason, code)
	}
	switch q := r.URL.Query(); {
	case !installed:
		status(http.StatusNotFound, "NotFound")
	case q.Get("sendInitialEvents") != "": // as older API servers answer
		status(http.StatusUnprocessableEntity, "Invalid")
	case q.Get("watch") != "":
		s.watch(w, r, resource)
	default:
		fmt.Fprintf(w, `{"apiVersion":%q,"kind":"%sList","metadata":{"resourceVersion":"%d"},"items":[%s]}`, kinds[resource][0], kinds[resource][1], version, object)
	}
}

func (s *apiServer) watch(w http.ResponseWriter, r *http.Request, resource string) {
	told, err := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for {
		w.(http.Flusher).Flush()
		s.mu.Lock()
		events, changed := s.events[resource], s.changed
		s.mu.Unlock()
		for _, e := range events {
			if e.version > told {
				fmt.Fprintf(w, `{"type":%q,"object":%s}`, e.kind, e.object)
				told = e.version
			}
		}
		w.(http.Flusher).Flush()
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

// A gate in front of an API server that does not know NodePolicies is ready all the same,
// cannot tell about nodes, and puts the policies in force when they come.
func TestNodePoliciesThatComeLate(t *testing.T) {
	api := &apiServer{now: map[string]string{}, events: map[string][]event{}, changed: make(chan struct{})}
	api.set("serviceaccounts", "", "", "")
	api.set("workloadpolicies", "", "", "")
	api.set("namespaces", "shop", `{"hardgate.dev/pause":"not the controller's"}`, `{}`)
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	informers, err := NewInformers(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	gate := NewGate(informers, NewMetrics(prometheus.NewRegistry()))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		informers.Run(ctx)
		close(ended)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	if err := informers.Synced(ctx); err != nil {
		t.Fatal(err)
	}
	if err := gate.WatchNodePolicies(ctx, informers); err != nil {
		t.Fatal(err)
	}
	node := nodeReview(`{}`, `{}`)
	if w := post(t, gate, registration.NodePath, node); w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "not been read yet") {
		t.Errorf("before there are any: HTTP %d %s", w.Code, w.Body)
	}

	for _, step := range []struct {
		what, resource, name, annotations, spec string
		want                                    string // in the answer
	}{
		{"installed", "nodepolicies", "", "", "", `"allowed":true}`},
		{"a policy", "nodepolicies", "p", `{"note":"x"}`, `{"untrustedUntilChecked":true}`, `"patch":`},
		{"it is paused", "nodepolicies", "p", `{"note":"x","hardgate.dev/pause":""}`, `{"untrustedUntilChecked":true}`, `"allowed":true}`},
		{"it goes on", "nodepolicies", "p", `{}`, `{"untrustedUntilChecked":true}`, `"patch":`},
		{"everything is paused", "namespaces", "hardgate-system", `{"hardgate.dev/pause":"x"}`, `{}`, `"allowed":true}`},
		{"everything goes on", "namespaces", "hardgate-system", `{}`, `{}`, `"patch":`},
		{"a slip", "nodepolicies", "p", `{}`, `{"untrustedUntilCheckd":true}`, `NodePolicy p: spec.untrustedUntilCheckd: unknown field, did you mean \"untrustedUntilChecked\"?`},
		{"mended", "nodepolicies", "p", `{}`, `{"untrustedUntilChecked":true}`, `"patch":`},
		{"deleted", "nodepolicies", "", "", "", `"allowed":true}`},
	} {
		api.set(step.resource, step.name, step.annotations, step.spec)
		want := strings.ReplaceAll(step.want, `\"`, `"`)
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			got := post(t, gate, registration.NodePath, node).Body.String()
			if strings.Contains(got, want) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %s, want %s", step.what, got, want)
			}
		}
		errors := 0.0
		if step.what == "a slip" {
			errors = 1
		}
		if got := testutil.ToFloat64(gate.metrics.invalidNode); got != errors {
			t.Errorf("%s: %v errors are counted", step.what, got)
		}
	}
}
