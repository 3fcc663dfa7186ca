package integration

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/e2e/gate"
)

// wantDenied asserts that err is the gate's denial, by the control, at the path.
func wantDenied(t *testing.T, err error, control, path string) {
	t.Helper()
	if !gate.Denied(err) {
		t.Fatalf("error %v, want a denial by the gate", err)
	}
	for _, want := range []string{control, path} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the denial does not mention %q: %v", want, err)
		}
	}
}

func wantStored(t *testing.T, namespace, name string, want bool) {
	t.Helper()
	_, err := lab.admin.CoreV1().Pods(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if got := !apierrors.IsNotFound(err); err != nil && got || got != want {
		t.Errorf("the pod %s is stored: %t (%v), want %t", name, got, err, want)
	}
}

func TestPrivilegedPodIsDeniedWhereEnforced(t *testing.T) {
	enforce(t, enforced)
	pods := lab.admin.CoreV1().Pods(enforced)
	bad := compliantPod(enforced)
	privilege(&bad.Spec.Containers[0])
	_, err := pods.Create(t.Context(), bad, metav1.CreateOptions{})
	wantDenied(t, err, "privileged", "spec.containers[0].securityContext.privileged")
	wantStored(t, enforced, bad.Name, false)

	good := compliantPod(enforced)
	if _, err := pods.Create(t.Context(), good, metav1.CreateOptions{}); err != nil {
		t.Errorf("a compliant pod is refused: %v", err)
	}
}

func TestDenialIsAudited(t *testing.T) {
	namespace := newNamespace(t)
	enforce(t, namespace)
	bad := compliantPod(namespace)
	privilege(&bad.Spec.Containers[0])
	_, err := lab.admin.CoreV1().Pods(namespace).Create(t.Context(), bad, metav1.CreateOptions{})
	wantDenied(t, err, "privileged", "spec.containers[0].securityContext.privileged")

	events, err := lab.cluster.AuditEvents()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.ObjectRef.Namespace != namespace || e.ObjectRef.Name != bad.Name {
			continue
		}
		const key = "workloads.hardgate.dev/privileged"
		if e.ResponseStatus.Code != 403 || !strings.HasPrefix(e.Annotations[key], "Enforce ") {
			t.Errorf("the audit event has code %d and %s=%q", e.ResponseStatus.Code, key, e.Annotations[key])
		}
		return
	}
	t.Error("the denial is not in the audit log")
}

func TestPrivilegedPodIsWarnedOfElsewhere(t *testing.T) {
	namespace := newNamespace(t)
	client, warnings := warned(t)
	good := compliantPod(namespace)
	if _, err := client.CoreV1().Pods(namespace).Create(t.Context(), good, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := warnings.about("hardgate"); len(got) > 0 {
		t.Errorf("a compliant pod is warned of: %q", got)
	}
	bad := compliantPod(namespace)
	privilege(&bad.Spec.Containers[0])
	if _, err := client.CoreV1().Pods(namespace).Create(t.Context(), bad, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := warnings.about("hardgate: privileged"); len(got) != 1 || !strings.Contains(got[0], "spec.containers[0].securityContext.privileged") {
		t.Errorf("warnings %q, want one about the privileged container", got)
	}
	wantStored(t, namespace, bad.Name, true)
}

// An ephemeral container comes by a subresource of its own, after the pod has been
// judged.
func TestEphemeralContainer(t *testing.T) {
	namespace := newNamespace(t)
	enforce(t, namespace)
	pods := lab.admin.CoreV1().Pods(namespace)
	pod, err := pods.Create(t.Context(), compliantPod(namespace), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	debug := func(name string) corev1.EphemeralContainer {
		return corev1.EphemeralContainer{EphemeralContainerCommon: corev1.EphemeralContainerCommon(compliantContainer(name))}
	}

	bad := pod.DeepCopy()
	shell := debug("shell")
	c := corev1.Container(shell.EphemeralContainerCommon)
	privilege(&c)
	shell.EphemeralContainerCommon = corev1.EphemeralContainerCommon(c)
	bad.Spec.EphemeralContainers = []corev1.EphemeralContainer{shell}
	_, err = pods.UpdateEphemeralContainers(t.Context(), pod.Name, bad, metav1.UpdateOptions{})
	wantDenied(t, err, "privileged", "spec.ephemeralContainers[0].securityContext.privileged")

	good := pod.DeepCopy()
	good.Spec.EphemeralContainers = []corev1.EphemeralContainer{debug("tracer")}
	now, err := pods.UpdateEphemeralContainers(t.Context(), pod.Name, good, metav1.UpdateOptions{})
	if err != nil {
		t.Fatalf("a harmless ephemeral container is refused: %v", err)
	}
	if len(now.Spec.EphemeralContainers) != 1 {
		t.Errorf("%d ephemeral containers are stored, want 1", len(now.Spec.EphemeralContainers))
	}
}

func TestDryRun(t *testing.T) {
	namespace := newNamespace(t)
	enforce(t, namespace)
	pods := lab.admin.CoreV1().Pods(namespace)
	dry := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	bad := compliantPod(namespace)
	privilege(&bad.Spec.Containers[0])
	_, err := pods.Create(t.Context(), bad, dry)
	wantDenied(t, err, "privileged", "spec.containers[0].securityContext.privileged")

	good := compliantPod(namespace)
	if _, err := pods.Create(t.Context(), good, dry); err != nil {
		t.Errorf("a dry run of a compliant pod is refused: %v", err)
	}
	wantStored(t, namespace, good.Name, false)
}

// Where the gate enforces, nothing passes while it is away; elsewhere it must not
// stand in the way.
func TestGateIsAway(t *testing.T) {
	namespace := newNamespace(t)
	if err := lab.gate.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g, err := gate.Start(context.WithoutCancel(t.Context()), lab.cluster, lab.repo)
		if err != nil {
			t.Fatalf("the gate does not come back: %v", err)
		}
		lab.gate = g
	})
	_, err := lab.admin.CoreV1().Pods(enforced).Create(t.Context(), compliantPod(enforced), metav1.CreateOptions{})
	if err == nil || !strings.Contains(err.Error(), "workloads-enforced.hardgate.dev") {
		t.Errorf("creating a pod where the gate enforces gives %v, want a refusal", err)
	}
	pod := compliantPod(namespace)
	if _, err := lab.admin.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Errorf("creating a pod elsewhere: %v", err)
	}
	wantStored(t, namespace, pod.Name, true)
}
