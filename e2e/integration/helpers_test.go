package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/gate"
)

// serial makes names unique, also under -count.
var serial atomic.Int32

// newNamespace makes a namespace for the test alone, in which pods can be created.
// It stays: without a controller-manager, namespaces do not end.
func newNamespace(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("test-%d", serial.Add(1))
	t.Logf("namespace %s", name)
	if err := prepare(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return name
}

// prepare makes a namespace with the service accounts "default" and "web".
func prepare(ctx context.Context, namespace string) error {
	if err := cluster.EnsureNamespace(ctx, lab.admin, namespace); err != nil {
		return err
	}
	return cluster.EnsureServiceAccount(ctx, lab.admin, namespace, "web")
}

// enforce puts the controls in mode Enforce in a namespace, with no parameters.
func enforce(t *testing.T, namespace string, ids ...string) {
	t.Helper()
	var settings []map[string]any
	for _, id := range ids {
		settings = append(settings, map[string]any{"id": id, "mode": "Enforce"})
	}
	enforceWith(t, namespace, settings...)
}

// enforceWith puts the settings in force in a namespace and returns once the gate
// denies there. The control "privileged" is always among them: by it the helper
// sees that the policy, which is put in force as a whole, is there.
func enforceWith(t *testing.T, namespace string, settings ...map[string]any) {
	t.Helper()
	controls := []any{map[string]any{"id": "privileged", "mode": "Enforce"}}
	for _, setting := range settings {
		if setting["parameters"] == nil || len(setting["parameters"].(map[string]any)) == 0 {
			delete(setting, "parameters")
		}
		if setting["id"] != "privileged" {
			controls = append(controls, setting)
		}
	}
	client := newClient(t)
	if _, err := client.Apply(t.Context(), workloadPolicy(namespace, controls...)); err != nil {
		t.Fatalf("applying the policy: %v", err)
	}
	trial := compliantPod(namespace)
	privilege(&trial.Spec.Containers[0])
	if err := gate.AwaitDenial(t.Context(), client, object(t, trial)); err != nil {
		t.Fatal(err)
	}
}

// workloadPolicy is one for the namespace of its name.
func workloadPolicy(namespace string, controls ...any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "hardgate.dev/v1alpha1",
		"kind":       "WorkloadPolicy",
		"metadata":   map[string]any{"name": namespace},
		"spec": map[string]any{
			"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": namespace}},
			"controls":          controls,
		},
	}}
}

// compliantPod has a name of its own and nothing that a control finds.
func compliantPod(namespace string) *corev1.Pod {
	return &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("pod-%d", serial.Add(1))},
		Spec: corev1.PodSpec{
			ServiceAccountName:           "web",
			AutomountServiceAccountToken: new(false),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot:   new(true),
				RunAsUser:      new(int64(10001)),
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{compliantContainer("web")},
		},
	}
}

func compliantContainer(name string) corev1.Container {
	return corev1.Container{
		Name:  name,
		Image: fmt.Sprintf("registry.example.com/%s@sha256:%064x", name, 0xc0ffee),
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false),
			ReadOnlyRootFilesystem:   new(true),
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
	}
}

// privilege makes a container privileged. The API refuses one that is privileged
// and not allowed to escalate.
func privilege(c *corev1.Container) {
	c.SecurityContext.Privileged = new(true)
	c.SecurityContext.AllowPrivilegeEscalation = nil
}

// object turns a typed object, whose TypeMeta is set, into one for apply.Client.
func object(t *testing.T, typed any) *unstructured.Unstructured {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: content}
}

func newClient(t *testing.T) *apply.Client {
	t.Helper()
	c, err := apply.NewClient(lab.config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// warnings collects what the API server warns a client of.
type warnings struct {
	mu   sync.Mutex
	text []string
}

// warned makes a client whose warnings are collected.
func warned(t *testing.T) (kubernetes.Interface, *warnings) {
	t.Helper()
	w := &warnings{}
	cfg := rest.CopyConfig(lab.config)
	cfg.WarningHandlerWithContext = w
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client, w
}

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext.
func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, _ int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, text)
}

// about returns the warnings that mention a control.
func (w *warnings) about(id string) (found []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, text := range w.text {
		if strings.Contains(text, id) {
			found = append(found, text)
		}
	}
	return found
}

// serves is whether the API server has a resource: older versions lack some.
func serves(t *testing.T, version, resource string) bool {
	t.Helper()
	list, err := lab.admin.Discovery().ServerResourcesForGroupVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Name == resource })
}
