package drills

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// Promise: a controller that is killed between an audit and the last of what it decided by
// it leaves nothing closed that is not enforced. The next one goes on: no step is taken
// back, none is left out.
func TestControllerIsKilledBetweenAuditAndModes(t *testing.T) {
	both(t)
	var all []string
	var values []any
	for range 60 {
		ns := namespace(t, "staged")
		all, values = append(all, ns), append(values, ns)
	}
	watched := watchSteps(t, reports(t, all, nil), all)
	c := leads(t, "controller-1", brief...)
	applied(t, "workloadpolicies", "WorkloadPolicy", all[0], map[string]any{
		"namespaceSelector": map[string]any{"matchExpressions": []any{map[string]any{"key": "kubernetes.io/metadata.name", "operator": "In", "values": values}}},
		"controls":          []any{map[string]any{"id": "privileged", "mode": "Audit"}},
		"rollout":           map[string]any{"cleanWindow": "5s"},
	})
	enforced := func() (n []string) {
		reports(t, all, func(ns, mode string) {
			if mode == "Enforce" {
				n = append(n, ns)
			}
		})
		return n
	}
	partly := 0
	for range 2 {
		before := len(enforced())
		if before == len(all) {
			break
		}
		await(t, soon, "a step is taken", func() bool { return len(enforced()) > before })
		if err := c.Kill(t.Context()); err != nil {
			t.Fatal(err)
		}
		done := enforced()
		if len(done) < len(all) {
			partly++
		}
		ours := 0
		for _, ns := range registration.Closed(stored(t)) {
			if !slices.Contains(all, ns) {
				continue
			}
			ours++
			if !slices.Contains(done, ns) {
				t.Errorf("%s is closed, and nothing is enforced there", ns)
			}
		}
		t.Logf("killed when %d of %d were enforced and %d closed", len(done), len(all), ours)
		c = leads(t, "controller-1", brief...)
	}
	if partly == 0 {
		t.Error("it was killed too late each time: nothing is shown")
	}
	await(t, soon, "all are enforced", func() bool { return len(enforced()) == len(all) })
	await(t, soon, "all are closed", func() bool {
		now := registration.Closed(stored(t))
		return !slices.ContainsFunc(all, func(ns string) bool { return !slices.Contains(now, ns) })
	})
	watched.stop()
	watched.forward(t, all)
}

// reports says which mode each namespace's rollout has reached, and returns the version of
// the list.
func reports(t *testing.T, all []string, each func(ns, mode string)) string {
	t.Helper()
	list, err := resource("namespacereports").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range list.Items {
		if u := &list.Items[i]; each != nil && slices.Contains(all, u.GetName()) {
			each(u.GetName(), reachedMode(u))
		}
	}
	return list.GetResourceVersion()
}

func reachedMode(u *unstructured.Unstructured) string {
	controls, _, _ := unstructured.NestedSlice(u.Object, "status", "controls")
	for _, c := range controls {
		entry, _ := c.(map[string]any)
		modes, _ := entry["modes"].([]any)
		if entry["id"] == "privileged" && len(modes) == 1 {
			one, _ := modes[0].(map[string]any)
			mode, _ := one["mode"].(string)
			return mode
		}
	}
	return ""
}

// steps are what the rollouts of some namespaces came to, one after the other.
type steps struct {
	stop func()
	all  sync.WaitGroup
	// modes are those of each namespace. lost is why not all were seen.
	modes map[string][]string
	lost  string
}

// watchSteps watches the reports of these namespaces from a version on.
func watchSteps(t *testing.T, version string, all []string) *steps {
	t.Helper()
	s := &steps{modes: map[string][]string{}}
	ctx, cancel := context.WithCancel(t.Context())
	s.stop = func() {
		cancel()
		s.all.Wait()
	}
	t.Cleanup(s.stop)
	s.all.Go(func() {
		// A connection that breaks loses nothing: it goes on from the version that was seen.
		for ctx.Err() == nil && s.lost == "" {
			w, err := resource("namespacereports").Watch(ctx, metav1.ListOptions{ResourceVersion: version})
			if err != nil {
				time.Sleep(100 * time.Millisecond)
				continue
			}
			for e := range w.ResultChan() {
				if status, ok := e.Object.(*metav1.Status); ok {
					if status.Reason == metav1.StatusReasonExpired || status.Code == http.StatusGone {
						s.lost = status.Message
					}
					break
				}
				version = s.see(e.Object, all)
			}
			w.Stop()
		}
	})
	return s
}

// see notes what a report says now, and returns its version.
func (s *steps) see(o runtime.Object, all []string) string {
	u := o.(*unstructured.Unstructured)
	if ns := u.GetName(); slices.Contains(all, ns) {
		if mode := reachedMode(u); len(s.modes[ns]) == 0 || s.modes[ns][len(s.modes[ns])-1] != mode {
			s.modes[ns] = append(s.modes[ns], mode)
		}
	}
	return u.GetResourceVersion()
}

// forward is an error where one goes back. The watch has ended.
func (s *steps) forward(t *testing.T, all []string) {
	t.Helper()
	if s.lost != "" {
		t.Fatalf("what the rollouts came to was not all seen: %s", s.lost)
	}
	order := []string{"", "Audit", "Warn", "Enforce"}
	for _, ns := range all {
		modes := s.modes[ns]
		if !slices.IsSortedFunc(modes, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) }) || !slices.Contains(modes, "Enforce") {
			t.Errorf("%s came to %q", ns, modes)
		}
	}
}
