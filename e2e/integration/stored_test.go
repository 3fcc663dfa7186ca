package integration

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// A policy that was stored while nobody looked, with its selector misspelt, must not
// turn the gate off for the whole cluster, and the gate says that it is there.
func TestMisspeltPolicyThatIsStored(t *testing.T) {
	namespace := newNamespace(t)
	webhooks := lab.admin.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	if err := webhooks.Delete(t.Context(), registration.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	client, err := dynamic.NewForConfig(lab.config)
	if err != nil {
		t.Fatal(err)
	}
	policies := client.Resource(schema.GroupVersionResource{Group: "hardgate.dev", Version: "v1alpha1", Resource: "workloadpolicies"})
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if err := policies.Delete(ctx, "misspelt", metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		if err := lab.gate.Register(ctx, []string{enforced}); err != nil {
			t.Error(err)
		}
	})
	bad := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "hardgate.dev/v1alpha1", "kind": "WorkloadPolicy", "metadata": map[string]any{"name": "misspelt"},
		"spec": map[string]any{"namespaceSelecter": map[string]any{"matchLabels": map[string]any{"a": "b"}}, "mode": "Off"},
	}}
	for { // until the API server no longer asks the gate
		if _, err = policies.Create(t.Context(), bad, metav1.CreateOptions{}); err == nil || !strings.Contains(err.Error(), "hardgate") {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	awaitMetric(t, "hardgate_policy_errors 1")
	if err := lab.gate.Register(t.Context(), []string{enforced}); err != nil {
		t.Fatal(err)
	}
	enforce(t, newNamespace(t)) // returns once the gate is asked again
	warnedClient, warnings := warned(t)
	pod := compliantPod(namespace)
	privilege(&pod.Spec.Containers[0])
	if _, err := warnedClient.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if len(warnings.about("hardgate: privileged ")) == 0 {
		t.Error("a privileged pod is not warned of: the misspelt policy is in force everywhere")
	}
}

// awaitMetric waits until the gate's metrics have the line.
func awaitMetric(t *testing.T, line string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, lab.gate.MetricsURL(), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\n"+line+"\n") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the metrics do not say %q", line)
		}
	}
}
