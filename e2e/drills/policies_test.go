package drills

import (
	"context"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Promise: where all policies are deleted, what was enforced is warned of again, by the
// defaults, at once; nothing fails closed any more as soon as the controller has noticed.
func TestPoliciesAreDeleted(t *testing.T) {
	replicas := both(t)
	leads(t, "controller-1")
	one, two := shut(t, "deleted"), shut(t, "deleted")

	began := time.Now()
	if err := resource("workloadpolicies").DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	var judged time.Duration
	for _, ns := range []string{one, two} {
		await(t, soon, "a privileged pod is let through", func() bool { return create(t.Context(), pod(ns, true)) == nil })
		judged = time.Since(began)
	}
	await(t, soon, "nothing is closed", func() bool { return !closed(t, one) && !closed(t, two) })
	t.Logf("let through after %s, nothing closed after %s", round(judged), round(time.Since(began)))
	for _, w := range stored(t).Webhooks {
		if strings.HasPrefix(w.Name, "workloads-enforced.") || strings.HasPrefix(w.Name, "roles-enforced.") {
			t.Errorf("%s is left behind", w.Name)
		}
	}
	await(t, soon, "what was denied is warned of", func() bool {
		return strings.Contains(strings.Join(warnings(t, one), "\n"), "privileged")
	})
	for _, r := range replicas {
		r.kill(t)
	}
	for _, ns := range []string{one, two} {
		if err := create(t.Context(), pod(ns, true)); err != nil {
			t.Errorf("closed without any policy: %v", err)
		}
	}
}

// warnings are those that come with a privileged pod.
func warnings(t *testing.T, ns string) []string {
	t.Helper()
	heard := &warned{}
	config := rest.CopyConfig(lab.config)
	config.WarningHandlerWithContext = heard
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Pods(ns).Create(t.Context(), pod(ns, true), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}); err != nil {
		t.Logf("not warned but refused: %v", err)
	}
	return heard.texts
}

type warned struct{ texts []string }

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext.
func (w *warned) HandleWarningHeaderWithContext(_ context.Context, _ int, _, text string) {
	w.texts = append(w.texts, text)
}
