package integration

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
)

// violator is a Deployment with a privileged container, made before the namespace
// enforces anything.
func violator(t *testing.T, namespace string) *appsv1.Deployment {
	t.Helper()
	spec := compliantPod(namespace).Spec
	privilege(&spec.Containers[0])
	d := kinds["Deployment"].build(metav1.ObjectMeta{Namespace: namespace, Name: "old", Finalizers: []string{"example.com/keep"}}, spec)
	created, err := lab.admin.AppsV1().Deployments(namespace).Create(t.Context(), d.(*appsv1.Deployment), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return created
}

// An update is denied only what it adds: an old violator can still be labelled,
// scaled, mended and cleaned up.
func TestUpdateOfAnOldViolator(t *testing.T) {
	namespace := newNamespace(t)
	violator(t, namespace)
	enforce(t, namespace)
	client, warnings := warned(t)
	deployments := client.AppsV1().Deployments(namespace)
	update := func(change func(*appsv1.Deployment)) error {
		return retry.RetryOnConflict(retry.DefaultRetry, func() error {
			d, err := deployments.Get(t.Context(), "old", metav1.GetOptions{})
			if err != nil {
				return err
			}
			change(d)
			_, err = deployments.Update(t.Context(), d, metav1.UpdateOptions{})
			return err
		})
	}
	second := func(d *appsv1.Deployment) {
		c := compliantContainer("second")
		privilege(&c)
		d.Spec.Template.Spec.Containers = append(d.Spec.Template.Spec.Containers, c)
	}

	if err := update(func(d *appsv1.Deployment) { d.Labels = map[string]string{"team": "a"} }); err != nil {
		t.Errorf("a label: %v", err)
	}
	if got := warnings.about("hardgate: privileged "); len(got) != 1 || !strings.Contains(got[0], "it was there before this change") {
		t.Errorf("warnings %q, want one that it was there before", got)
	}
	if err := update(func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(3)) }); err != nil {
		t.Errorf("replicas: %v", err)
	}
	if err := update(func(d *appsv1.Deployment) {
		spec := &d.Spec.Template.Spec
		spec.Containers = append([]corev1.Container{compliantContainer("first")}, spec.Containers...)
	}); err != nil {
		t.Errorf("a good container before the old one: %v", err)
	}
	wantDenied(t, update(second), "privileged", "spec.template.spec.containers[2].securityContext.privileged")
	wantDenied(t, update(func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[1].Name = "renamed" }), "privileged", "containers[1]")

	// Objects that are being deleted still take changes.
	if err := deployments.Delete(t.Context(), "old", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	wantDenied(t, update(second), "privileged", "spec.template.spec.containers[2].securityContext.privileged")
	if err := update(func(d *appsv1.Deployment) { d.Finalizers = nil }); err != nil {
		t.Errorf("the finalizer of a violator cannot be removed: %v", err)
	}
}

// A resize carries the whole pod: an old violator can be resized.
func TestResizeOfAnOldViolator(t *testing.T) {
	if !serves(t, "v1", "pods/resize") {
		t.Skip("this version of Kubernetes does not serve pods/resize: it is on by default from 1.33")
	}
	namespace := newNamespace(t)
	p := compliantPod(namespace)
	privilege(&p.Spec.Containers[0])
	p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m")}
	client, warnings := warned(t)
	pods := client.CoreV1().Pods(namespace)
	created, err := pods.Create(t.Context(), p, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	enforce(t, namespace)
	before := len(warnings.about("hardgate: privileged "))
	created.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("200m")}
	if _, err := pods.UpdateResize(t.Context(), created.Name, created, metav1.UpdateOptions{}); err != nil {
		t.Fatalf("resizing: %v", err)
	}
	if after := len(warnings.about("hardgate: privileged ")); after != before+1 {
		t.Errorf("%d warnings for the resize, want 1", after-before)
	}
}

// The same field twice in a raw request: the API server merges the two, and the
// gate sees what is stored.
func TestDuplicateKeysDoNotHideAContainer(t *testing.T) {
	namespace := newNamespace(t)
	enforce(t, namespace)
	body := `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"twice"},"spec":{"serviceAccountName":"web","containers":[
		{"name":"a","image":"i","securityContext":{"privileged":true},"securityContext":{"readOnlyRootFilesystem":true}}]}}`
	err := lab.admin.CoreV1().RESTClient().Post().Namespace(namespace).Resource("pods").
		SetHeader("Content-Type", "application/json").Body([]byte(body)).Do(t.Context()).Error()
	wantDenied(t, err, "privileged", "spec.containers[0].securityContext.privileged")
}

// A patch of a label on a good pod must not wake anything.
func TestPatchOfAGoodPod(t *testing.T) {
	namespace := newNamespace(t)
	enforce(t, namespace, "seccomp", "run-as-root", "net-raw")
	client, warnings := warned(t)
	pods := client.CoreV1().Pods(namespace)
	pod, err := pods.Create(t.Context(), compliantPod(namespace), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pods.Patch(t.Context(), pod.Name, types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`), metav1.PatchOptions{}); err != nil {
		t.Errorf("a label: %v", err)
	}
	if got := warnings.about("hardgate"); len(got) > 0 {
		t.Errorf("warned of %q", got)
	}
}
