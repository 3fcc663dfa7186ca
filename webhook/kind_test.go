package webhook

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// uninstall takes a CRD away, and tells nobody what goes with it.
func (s *apiServer) uninstall(resource string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.now, resource)
	delete(s.events, resource)
}

// A gate in front of an API server that does not know WorkloadPolicies serves by the
// defaults, follows the policies when they come, and forgets them when their CRD goes, also
// where it was not told that they are deleted.
func TestWorkloadPoliciesThatAreNotInstalled(t *testing.T) {
	api := newAPIServer()
	api.set("serviceaccounts", "", "", "")
	api.set("namespaces", "shop", `{}`, `{}`)
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
	limited, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := informers.Synced(limited); err != nil {
		t.Fatal(err)
	}
	if err := gate.WatchPolicies(ctx, informers); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		what string
		do   func()
		want string // in the answer about a privileged pod
	}{
		{"not installed", func() {}, `"warnings":[`},
		{"installed", func() { api.set("workloadpolicies", "p", `{}`, `{"controls":[{"id":"privileged","mode":"Enforce"}]}`) }, `"allowed":false`},
		{"gone, and nobody was told", func() {
			api.uninstall("workloadpolicies")
			server.CloseClientConnections()
		}, `"warnings":[`},
		{"installed again", func() { api.set("workloadpolicies", "p", `{}`, `{"controls":[{"id":"privileged","mode":"Enforce"}]}`) }, `"allowed":false`},
	} {
		step.do()
		for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			answer := post(t, gate, registration.WorkloadPath, podReview(pod(priv), "", "")).Body.String()
			if strings.Contains(answer, step.want) && strings.Contains(answer, "privileged") && (step.want == `"allowed":false`) != strings.Contains(answer, `"allowed":true`) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %s, want %s", step.what, answer, step.want)
			}
		}
	}
}
