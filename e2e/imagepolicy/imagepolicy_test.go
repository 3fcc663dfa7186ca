package imagepolicy

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/gate"
)

const (
	digest  = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	pinned  = "registry.example/shop/web" + digest
	tagged  = "registry.example/shop/web:1"
	foreign = "other.example/web" + digest
)

// serial makes names unique, also under -count.
var serial atomic.Int32

func newNamespace(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("test-%d", serial.Add(1))
	t.Logf("namespace %s", name)
	prepare(t, name)
	return name
}

func prepare(t *testing.T, namespace string) {
	t.Helper()
	if err := cluster.EnsureNamespace(t.Context(), lab.admin, namespace); err != nil {
		t.Fatal(err)
	}
}

// put puts the control in a mode in a namespace, for images of registry.example alone.
func put(t *testing.T, namespace, mode string) {
	t.Helper()
	policy := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "hardgate.dev/v1alpha1", "kind": "WorkloadPolicy",
		"metadata": map[string]any{"name": namespace},
		"spec": map[string]any{
			"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": namespace}},
			"controls": []any{map[string]any{
				"id": "image-provenance", "mode": mode,
				"parameters": map[string]any{"allowedRegistries": []any{"registry.example"}, "requireDigest": true},
			}},
		},
	}}
	if _, err := lab.client.Apply(t.Context(), policy); err != nil {
		t.Fatal(err)
	}
}

// enforce puts the control in Enforce and returns when that is in force.
func enforce(t *testing.T, namespace string) {
	t.Helper()
	put(t, namespace, "Enforce")
	await(t, "the policy is in force", func() bool {
		p := pod(namespace, tagged)
		_, err := lab.admin.CoreV1().Pods(namespace).Create(t.Context(), p, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return refused(err)
	})
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// pod has a name of its own and a container for each image.
func pod(namespace string, images ...string) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("pod-%d", serial.Add(1))},
		Spec:       corev1.PodSpec{AutomountServiceAccountToken: new(false)},
	}
	for i, image := range images {
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: fmt.Sprintf("c%d", i), Image: image})
	}
	return p
}

func create(t *testing.T, p *corev1.Pod) error {
	t.Helper()
	_, err := lab.admin.CoreV1().Pods(p.Namespace).Create(t.Context(), p, metav1.CreateOptions{})
	return err
}

// refused is whether the gate refuses, by way of the plugin.
func refused(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), "image policy webhook backend denied one or more images: hardgate refuses this Pod in ")
}

// wantRefused asserts a refusal in our words: the control, the image and what is wrong with
// it, and how to mend it.
func wantRefused(t *testing.T, err error, words ...string) {
	t.Helper()
	t.Log(err)
	if !refused(err) {
		t.Fatalf("error %v, want a refusal by the gate", err)
	}
	for _, want := range append(words, "image-provenance (CIS 5.5.1)", "mend: ") {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the refusal lacks %q: %v", want, err)
		}
	}
}

func wantStored(t *testing.T, p *corev1.Pod, want bool) {
	t.Helper()
	_, err := lab.admin.CoreV1().Pods(p.Namespace).Get(t.Context(), p.Name, metav1.GetOptions{})
	if got := err == nil; err != nil && !apierrors.IsNotFound(err) || got != want {
		t.Errorf("the pod %s is stored: %t (%v), want %t", p.Name, got, err, want)
	}
}

// note is what the API server's audit log has of the gate's answer on a pod's creation.
func note(t *testing.T, p *corev1.Pod) (code int, text string) {
	t.Helper()
	events, err := lab.cluster.AuditEvents()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.ObjectRef.Namespace == p.Namespace && e.ObjectRef.Name == p.Name && e.Verb == "create" {
			return e.ResponseStatus.Code, e.Annotations["imagepolicywebhook.image-policy.k8s.io/image-provenance"]
		}
	}
	t.Fatalf("the audit log does not have the creation of %s", p.Name)
	return 0, ""
}

func TestEnforced(t *testing.T) {
	ns := newNamespace(t)
	enforce(t, ns)
	notDigest, notAllowed := `"`+tagged+`" is not named by digest`, `"`+foreign+`" comes from other.example, which is not an allowed registry`

	bad := pod(ns, tagged)
	wantRefused(t, create(t, bad), notDigest)
	wantStored(t, bad, false)
	if code, text := note(t, bad); code != 403 || text != "Enforce "+notDigest {
		t.Errorf("the audit log has code %d and %q", code, text)
	}
	wantRefused(t, create(t, pod(ns, foreign)), notAllowed)
	wantRefused(t, create(t, pod(ns, pinned, foreign)), notAllowed)

	beginning := pod(ns, pinned)
	beginning.Spec.InitContainers = []corev1.Container{{Name: "init", Image: tagged}}
	wantRefused(t, create(t, beginning), notDigest)

	begging := pod(ns, tagged)
	begging.Annotations = map[string]string{"hardgate.image-policy.k8s.io/break-glass": "true", "alpha.image-policy.k8s.io/failed-open": "true"}
	wantRefused(t, create(t, begging), notDigest)

	good := pod(ns, pinned)
	if err := create(t, good); err != nil {
		t.Fatalf("a pinned image of an allowed registry is refused: %v", err)
	}
	wantStored(t, good, true)

	// Ephemeral containers come later, by a subresource.
	pods := lab.admin.CoreV1().Pods(ns)
	debug := func(image string) *corev1.Pod {
		p := good.DeepCopy()
		p.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "shell", Image: image}}}
		return p
	}
	_, err := pods.UpdateEphemeralContainers(t.Context(), good.Name, debug(tagged), metav1.UpdateOptions{})
	wantRefused(t, err, notDigest)
	now, err := pods.UpdateEphemeralContainers(t.Context(), good.Name, debug(pinned), metav1.UpdateOptions{})
	if err != nil || len(now.Spec.EphemeralContainers) != 1 {
		t.Errorf("a pinned ephemeral container: %v", err)
	}
}

func TestWarned(t *testing.T) {
	ns := newNamespace(t)
	put(t, ns, "Warn")
	want := `Warn "` + tagged + `" is not named by digest`
	await(t, "the policy is in force", func() bool {
		p := pod(ns, tagged)
		if err := create(t, p); err != nil {
			t.Fatalf("what is only warned of is refused: %v", err)
		}
		wantStored(t, p, true)
		_, text := note(t, p)
		return text == want
	})
}

// The plugin asks about every namespace; those that the webhook is never asked about go through.
func TestExcludedNamespaces(t *testing.T) {
	for _, ns := range []string{metav1.NamespaceSystem, "hardgate-system"} {
		prepare(t, ns)
		put(t, ns, "Enforce")
	}
	// The policies have been seen when one that was stored after them is in force.
	enforce(t, newNamespace(t))
	for _, ns := range []string{metav1.NamespaceSystem, "hardgate-system"} {
		p := pod(ns, tagged)
		if err := create(t, p); err != nil {
			t.Errorf("in %s: %v", ns, err)
		}
		wantStored(t, p, true)
	}
}

func TestExemptions(t *testing.T) {
	ns := newNamespace(t)
	enforce(t, ns)
	exempt := func(name string, objects map[string]any) {
		e := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "hardgate.dev/v1alpha1", "kind": "Exemption", "metadata": map[string]any{"name": ns + "-" + name},
			"spec": map[string]any{
				"controls": []any{"image-provenance"}, "objects": objects, "reason": "a trial", "owner": "team-shop",
				"expires": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
			},
		}}
		if _, err := lab.client.Apply(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	// A review has neither name nor account.
	exempt("name", map[string]any{"namespaces": []any{ns}, "names": []any{"pod-*"}})
	exempt("account", map[string]any{"namespaces": []any{ns}, "serviceAccounts": []any{"default"}})
	const excepted = "registry.example/old/collector:3"
	exempt("image", map[string]any{"namespaces": []any{ns}, "kinds": []any{"Pod"}, "images": []any{"registry.example/old/collector"}})
	await(t, "the image is exempt", func() bool { return create(t, pod(ns, excepted)) == nil })
	wantRefused(t, create(t, pod(ns, excepted, tagged)), tagged)
	const unasked = "registry.example/shop/web:2" // about which no answer is kept
	wantRefused(t, create(t, pod(ns, unasked)), unasked)
}

// An update is asked about as if it were a creation, so that what was there before is
// refused as well: see docs/image-policy.md.
func TestUpdates(t *testing.T) {
	ns := newNamespace(t)
	put(t, ns, "Off")
	await(t, "nothing is judged", func() bool { return create(t, pod(ns, tagged)) == nil })
	standing := pod(ns, tagged)
	standing.Finalizers = []string{"example.com/keeps"}
	if err := create(t, standing); err != nil {
		t.Fatal(err)
	}
	enforce(t, ns)
	pods := lab.admin.CoreV1().Pods(ns)

	now, err := pods.Get(t.Context(), standing.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	now.Labels = map[string]string{"team": "shop"}
	_, err = pods.Update(t.Context(), now, metav1.UpdateOptions{})
	wantRefused(t, err, tagged)
	if err := pods.Delete(t.Context(), standing.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}); err != nil {
		t.Errorf("it cannot be deleted: %v", err)
	}
	free := []byte(`{"metadata":{"finalizers":null}}`)
	_, err = pods.Patch(t.Context(), standing.Name, types.MergePatchType, free, metav1.PatchOptions{})
	wantRefused(t, err, tagged) // so that it stays, until the policy is milder
	put(t, ns, "Warn")
	await(t, "it can go", func() bool {
		_, err = pods.Patch(t.Context(), standing.Name, types.MergePatchType, free, metav1.PatchOptions{})
		return err == nil
	})
	wantStored(t, standing, false)
}

// What is not among the images of a pod's containers is not asked about.
func TestUnseen(t *testing.T) {
	ns := newNamespace(t)
	enforce(t, ns)
	template := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}}, Spec: pod(ns, tagged).Spec},
		},
	}
	if _, err := lab.admin.AppsV1().Deployments(ns).Create(t.Context(), template, metav1.CreateOptions{}); err != nil {
		t.Errorf("the plugin asks about templates now: %v", err)
	}
	mounting := pod(ns, pinned)
	mounting.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{Image: &corev1.ImageVolumeSource{Reference: tagged}}}}
	if err := create(t, mounting); err != nil {
		t.Errorf("the plugin asks about images of volumes now: %v", err)
	}
}

// With defaultAllow false nothing that runs an image is admitted while the gate is away,
// in kube-system neither: the plugin knows no exceptions.
func TestGateIsAway(t *testing.T) {
	ns := newNamespace(t)
	enforce(t, ns)
	prepare(t, metav1.NamespaceSystem)
	if err := lab.gate.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	away := func(p *corev1.Pod) {
		t.Helper()
		err := create(t, p)
		t.Log(err)
		if !apierrors.IsForbidden(err) || refused(err) || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("creating a pod in %s gives %v, want a refusal for want of an answer", p.Namespace, err)
		}
		wantStored(t, p, false)
	}
	away(pod(ns, pinned, pinned))
	away(pod(metav1.NamespaceSystem, pinned, pinned, pinned))

	back, err := gate.Start(context.WithoutCancel(t.Context()), lab.cluster, lab.repo)
	if err != nil {
		t.Fatalf("the gate does not come back: %v", err)
	}
	lab.gate = back
	if err := create(t, pod(ns, pinned, pinned)); err != nil {
		t.Errorf("with the gate back: %v", err)
	}
	wantRefused(t, create(t, pod(ns, tagged, pinned)), tagged)
}
