package webhook

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// modify changes the one object of a resource in its place.
func (s *apiServer) modify(resource, spec string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	head, _, _ := strings.Cut(s.now[resource], `,"spec":`)
	before := fmt.Sprintf(`"resourceVersion":"%d"`, s.version)
	s.version++
	s.now[resource] = strings.Replace(head, before, fmt.Sprintf(`"resourceVersion":"%d"`, s.version), 1) + `,"spec":` + spec + `}`
	s.events[resource] = append(s.events[resource], event{s.version, "MODIFIED", s.now[resource]})
	close(s.changed)
	s.changed = make(chan struct{})
}

// exempted starts a gate that enforces "privileged" and watches the Exemptions of an API
// server, which has none until they are set.
func exempted(t *testing.T, api *apiServer) *Gate {
	t.Helper()
	for _, resource := range []string{"namespaces", "serviceaccounts", "workloadpolicies"} {
		api.set(resource, "", "", "")
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	informers, err := NewInformers(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	gate, _ := newGate(t, "privileged")
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
	if err := gate.WatchExemptions(ctx, informers); err != nil {
		t.Fatal(err)
	}
	return gate
}

func newAPIServer() *apiServer {
	return &apiServer{now: map[string]string{}, events: map[string][]event{}, changed: make(chan struct{})}
}

// letsThrough is whether a privileged pod may be created.
func letsThrough(t *testing.T, gate *Gate) bool {
	t.Helper()
	return strings.Contains(post(t, gate, registration.WorkloadPath, podReview(pod(priv), "", "")).Body.String(), `"allowed":true`)
}

func exemptSpec(objects string, until time.Time) string {
	return fmt.Sprintf(`{"controls":["privileged"],"objects":%s,"reason":"r","owner":"o","expires":%q}`, objects, until.UTC().Format(time.RFC3339))
}

// A gate in front of an API server that does not know Exemptions is ready and exempts
// nothing, and follows them when they come.
func TestWatchExemptions(t *testing.T) {
	api := newAPIServer()
	gate := exempted(t, api)
	if letsThrough(t, gate) {
		t.Error("without Exemptions, something is exempt")
	}
	later := time.Now().Add(time.Hour)
	here, elsewhere := exemptSpec(`{"namespaces":["shop"]}`, later), exemptSpec(`{"namespaces":["mesh"]}`, later)
	misspelt := exemptSpec(`{"namespaces":["shop"],"kind":["Pod"]}`, later)
	for _, step := range []struct {
		what   string
		do     func()
		want   bool
		errors float64
	}{
		{"installed", func() { api.set("exemptions", "", "", "") }, false, 0},
		{"added", func() { api.set("exemptions", "e", `{}`, here) }, true, 0},
		{"changed to another namespace", func() { api.modify("exemptions", elsewhere) }, false, 0},
		{"changed back", func() { api.modify("exemptions", here) }, true, 0},
		{"changed to what is not understood", func() { api.modify("exemptions", misspelt) }, false, 1},
		{"mended", func() { api.modify("exemptions", here) }, true, 0},
		{"changed to what has ended", func() { api.modify("exemptions", exemptSpec(`{"namespaces":["shop"]}`, time.Now())) }, false, 0},
		{"prolonged", func() { api.modify("exemptions", here) }, true, 0},
		{"replaced by one that is not understood", func() { api.set("exemptions", "f", `{}`, misspelt) }, false, 1},
		{"deleted", func() { api.set("exemptions", "", "", "") }, false, 0},
		{"added again", func() { api.set("exemptions", "e", `{}`, here) }, true, 0},
	} {
		step.do()
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			exempt, errors := letsThrough(t, gate), testutil.ToFloat64(gate.metrics.invalidExemptions)
			if exempt == step.want && errors == step.errors {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: exempt %t, %v errors are counted; want %t, %v", step.what, exempt, errors, step.want, step.errors)
			}
		}
	}
}

// An Exemption ends by itself, in the second that it says, whatever happens or does not.
func TestExemptionThatEnds(t *testing.T) {
	api := newAPIServer()
	api.set("exemptions", "", "", "")
	gate := exempted(t, api)
	end := time.Now().Truncate(time.Second).Add(3 * time.Second)
	api.set("exemptions", "e", `{}`, exemptSpec(`{"namespaces":["shop"]}`, end))
	for seen := false; ; time.Sleep(time.Millisecond) {
		before := time.Now()
		exempt := letsThrough(t, gate)
		after := time.Now()
		switch {
		case exempt && !before.Before(end):
			t.Fatalf("exempt %s after its end", before.Sub(end))
		case exempt:
			seen = true
		case seen && after.Before(end):
			t.Fatalf("refused %s before its end", end.Sub(after))
		case seen:
			return
		case !before.Before(end):
			t.Fatal("it was never exempt")
		}
	}
}

// What is exempt is no excuse for what takes its place: a pod that may be privileged for its
// image would be anybody's with the next one.
func TestUpdateLeavesAnExemption(t *testing.T) {
	const (
		granted = `{"name":"c","image":"registry.example.com/granted:1","securityContext":{"privileged":true}}`
		debug   = `{"name":"d","image":"registry.example.com/debug"}`

		sameImage = `{"name":"d","image":"registry.example.com/granted:2"}`
	)
	images := func(container, image string) string { return strings.Replace(container, "granted:1", image, 1) }
	ephemeral := func(pod, container string) string {
		return strings.Replace(pod, `"containers"`, `"ephemeralContainers":[`+container+`],"containers"`, 1)
	}
	hosting := func(pod string) string { return strings.Replace(pod, `"containers"`, `"hostPID":true,"containers"`, 1) }
	relabelled := func(pod string) string { return strings.Replace(pod, `"name":"p"`, `"name":"p","labels":{"a":"b"}`, 1) }
	until, ended := time.Now().Add(time.Hour), time.Now().Add(-time.Second)
	tests := map[string]struct {
		old, object string
		until       time.Time
		allowed     bool
	}{
		"another tag of the image":           {pod(granted), pod(images(granted, "granted:2")), until, true},
		"another image":                      {pod(granted), pod(images(granted, "other:1")), until, false},
		"another of two":                     {pod(granted + "," + privB), pod(images(granted, "other:1") + "," + privB), until, false},
		"a label of what is exempt in part":  {pod(granted + "," + privB), relabelled(pod(granted + "," + privB)), until, true},
		"back to what is exempt":             {pod(images(granted, "other:1")), pod(granted), until, true},
		"a label, when it has ended":         {pod(granted), relabelled(pod(granted)), ended, true},
		"another image, when it has ended":   {pod(granted), pod(images(granted, "other:1")), ended, true}, // it is a violator like any
		"a debugger that shares the node's":  {hosting(pod(granted)), ephemeral(hosting(pod(granted)), debug), until, false},
		"a debugger of the image":            {hosting(pod(granted)), ephemeral(hosting(pod(granted)), sameImage), until, true},
		"a label of a pod that is debugged":  {ephemeral(hosting(pod(granted)), debug), relabelled(ephemeral(hosting(pod(granted)), debug)), until, true},
		"the debugger of one that shares no": {pod(granted), ephemeral(pod(granted), debug), until, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			gate, _ := newGate(t, "privileged", "host-pid")
			book, errs := exemption.Compile([]v1alpha1.Exemption{{ObjectMeta: metav1.ObjectMeta{Name: "e"}, Spec: v1alpha1.ExemptionSpec{
				Controls: []string{"privileged", "host-pid"}, Reason: "r", Owner: "o", Expires: metav1.NewTime(tt.until),
				Objects: &v1alpha1.ExemptObjects{Namespaces: []string{"shop"}, Images: []string{"registry.example.com/granted"}},
			}}})
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			gate.exemptions.Store(book)
			if r := ask(t, gate, podReview(tt.object, tt.old, "")); r.Allowed != tt.allowed {
				t.Errorf("got %+v", r)
			}
		})
	}
}
