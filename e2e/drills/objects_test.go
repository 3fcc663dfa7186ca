package drills

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/e2e/process"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// serial makes names unique, also under -count.
var serial atomic.Int32

func namespace(t *testing.T, prefix string) string {
	t.Helper()
	name := fmt.Sprintf("%s-%d", prefix, serial.Add(1))
	if err := cluster.EnsureNamespace(t.Context(), lab.admin, name); err != nil {
		t.Fatal(err)
	}
	return name
}

// pod is one that passes what is enforced here, or one that does not.
func pod(ns string, privileged bool) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, GenerateName: "pod-"},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "a", Image: "registry.example/a:1", SecurityContext: &corev1.SecurityContext{Privileged: &privileged},
		}}},
	}
}

// create creates a pod on trial: nothing of it is stored, but everybody is asked.
func create(ctx context.Context, p *corev1.Pod) error {
	_, err := lab.admin.CoreV1().Pods(p.Namespace).Create(ctx, p, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	return err
}

// enforce applies the policy by which no pod may be privileged in some namespaces, and
// takes it away again.
func enforce(t *testing.T, name string, namespaces ...string) {
	t.Helper()
	applied(t, "workloadpolicies", "WorkloadPolicy", name, enforcing(namespaces...))
}

func enforcing(namespaces ...string) map[string]any {
	var values []any
	for _, ns := range namespaces {
		values = append(values, ns)
	}
	return map[string]any{
		"namespaceSelector": map[string]any{"matchExpressions": []any{map[string]any{"key": "kubernetes.io/metadata.name", "operator": "In", "values": values}}},
		"controls":          []any{map[string]any{"id": "privileged", "mode": "Enforce"}},
	}
}

func resource(plural string) dynamic.NamespaceableResourceInterface {
	return lab.dynamic.Resource(v1alpha1.GroupVersion.WithResource(plural))
}

func put(ctx context.Context, plural, kind, name string, spec map[string]any) error {
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": kind, "metadata": map[string]any{"name": name}, "spec": spec,
	}}
	_, err := resource(plural).Apply(ctx, name, u, metav1.ApplyOptions{FieldManager: "drills", Force: true})
	return err
}

// applied applies a resource and takes it away again.
func applied(t *testing.T, plural, kind, name string, spec map[string]any) {
	t.Helper()
	if err := put(t.Context(), plural, kind, name, spec); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := resource(plural).Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	})
}

// register makes the API server ask the replicas, and fail closed nowhere yet.
func register(ctx context.Context) error {
	o := registration.Options{URL: lab.service.url(), CABundle: lab.ca}
	for _, built := range []any{registration.Build(o), registration.BuildMutating(o)} {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(built)
		if err != nil {
			return err
		}
		if _, err := lab.client.Apply(ctx, &unstructured.Unstructured{Object: content}); err != nil {
			return err
		}
	}
	return nil
}

// stored is the configuration of what is judged, as the API server has it.
func stored(t *testing.T) *admissionregistrationv1.ValidatingWebhookConfiguration {
	t.Helper()
	c, err := lab.admin.AdmissionregistrationV1().ValidatingWebhookConfigurations().Get(t.Context(), registration.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// closed is whether the API server fails closed in a namespace.
func closed(t *testing.T, ns string) bool {
	t.Helper()
	return slices.Contains(registration.Closed(stored(t)), ns)
}

// leads starts a controller that looks more often than one at work.
func leads(t *testing.T, name string, flags ...string) *controller.Controller {
	t.Helper()
	c, err := controller.StartReplica(t.Context(), lab.cluster, lab.repo, name, append([]string{"--audit-interval", "1s", "--audit-tick", "500ms"}, flags...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the log of %s:\n%s", name, c.Log())
		}
		if err := c.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return c
}

// leadBoth starts two controllers, of which the first leads.
func leadBoth(t *testing.T) map[string]*controller.Controller {
	t.Helper()
	first := leads(t, "controller-1", brief...)
	await(t, soon, "somebody leads", func() bool {
		by, err := holder(t.Context())
		return err == nil && by != nobody
	})
	return map[string]*controller.Controller{"controller-1": first, "controller-2": leads(t, "controller-2", brief...)}
}

// revive starts those anew that have ended, as the kubelet does with containers, and says
// how many they were.
func revive(t *testing.T, all map[string]*controller.Controller) (ended int) {
	t.Helper()
	for name, c := range all {
		running, err := c.Process().Running()
		if err != nil {
			t.Fatal(err)
		}
		if !running {
			ended++
			all[name] = leads(t, name, brief...)
		}
	}
	return ended
}

// logOf is all that a program has logged since it was started.
func logOf(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(process.LogFile(lab.cluster.Config().Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// await waits until something holds, and says how long it took. The limit is generous: it
// is no measurement of a busy machine.
func await(t *testing.T, limit time.Duration, what string, holds func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !holds() {
		if time.Since(began) > limit {
			t.Fatalf("after %s still waiting until %s", limit, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(began)
}

// soon is how long something may take that takes a moment on a machine at rest.
const soon = time.Minute

// unanswered is whether the API server has refused because the webhook of that name did not
// answer.
func unanswered(err error, webhook string) bool {
	return err != nil && strings.Contains(err.Error(), `failed calling webhook "`+webhook+`"`)
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }
