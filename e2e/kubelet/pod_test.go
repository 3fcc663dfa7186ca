package kubelet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/enclosure"
	"github.com/hardgate-dev/hardgate/e2e/process"
	"github.com/hardgate-dev/hardgate/nodecheck/check"
)

func newClient(t *testing.T) *apply.Client {
	t.Helper()
	access, err := lab.cluster.RESTConfig()
	if err != nil {
		t.Fatal(err)
	}
	client, err := apply.NewClient(access)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// install applies what the agent needs, and what a controller-manager would add.
func install(t *testing.T, client *apply.Client) {
	t.Helper()
	for _, name := range []string{"crd/hardgate.dev_nodereports.yaml", "nodecheck/rbac.yaml"} {
		objects, err := apply.Read(filepath.Join(lab.repo, "manifests", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects {
			if _, err := client.Apply(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
	}
	ca, err := os.ReadFile(filepath.Join(enclosure.Dir(), "pki", "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	root := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "kube-root-ca.crt", Namespace: agentNamespace},
		Data:       map[string]string{"ca.crt": string(ca)},
	}
	if _, err := lab.admin.CoreV1().ConfigMaps(agentNamespace).Create(t.Context(), root, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
}

// runPod runs the pod of the DaemonSet on the node, without a scheduler and a
// controller-manager. Without kube-proxy, the address of the API server is a flag.
func (a *agent) runPod(t *testing.T, seccomp corev1.SeccompProfile) {
	t.Helper()
	if err := a.client.Delete(t.Context(), nodeReport()); err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	objects, err := apply.Read(filepath.Join(lab.repo, "manifests", "nodecheck", "daemonset.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	template, found, err := unstructured.NestedMap(objects[0].Object, "spec", "template")
	if err != nil || !found {
		t.Fatalf("the DaemonSet has no template: %v", err)
	}
	var pod corev1.Pod
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(template, &pod); err != nil {
		t.Fatal(err)
	}
	access, err := lab.cluster.RESTConfig()
	if err != nil {
		t.Fatal(err)
	}
	if got := pod.Spec.Containers[0].SecurityContext.SeccompProfile.Type; got != corev1.SeccompProfileTypeRuntimeDefault {
		t.Errorf("the DaemonSet has the profile %s", got)
	}
	pod.Spec.Containers[0].SecurityContext.SeccompProfile = &seccomp
	pod.Name, pod.Namespace, pod.Spec.NodeName = agentName, agentNamespace, enclosure.Host
	pod.Spec.Containers[0].Args = append(pod.Spec.Containers[0].Args, "--api-server="+access.Host)
	seeProgram(t, &pod.Spec)
	pods := lab.admin.CoreV1().Pods(agentNamespace)
	// The node may have yet to register.
	await(t, a.kubelet, "the pod to be accepted", 30*time.Second, func(ctx context.Context) error {
		if _, err := lab.admin.CoreV1().Nodes().Get(ctx, enclosure.Host, metav1.GetOptions{}); err != nil {
			return err
		}
		_, err := pods.Create(ctx, &pod, metav1.CreateOptions{})
		return err
	})
	t.Cleanup(func() {
		if t.Failed() {
			logAgent(t)
		}
		err := pods.Delete(context.WithoutCancel(t.Context()), agentName, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	})
	await(t, a.kubelet, "the pod to be ready", 60*time.Second, func(ctx context.Context) error {
		p, err := pods.Get(ctx, agentName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				return nil
			}
		}
		return fmt.Errorf("it is %s: %+v", p.Status.Phase, p.Status.ContainerStatuses)
	})
}

// seeProgram mounts the directory of the kubelet's program, as nodecheck.hostPaths does: it
// is not installed here but linked to where it was downloaded to.
func seeProgram(t *testing.T, pod *corev1.PodSpec) {
	t.Helper()
	program, err := filepath.EvalSymlinks("/usr/bin/kubelet")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(program)
	if slices.ContainsFunc(check.Directories(), func(seen string) bool { return strings.HasPrefix(program, seen+"/") }) {
		return
	}
	pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "extra", VolumeSource: corev1.VolumeSource{
		HostPath: &corev1.HostPathVolumeSource{Path: dir, Type: new(corev1.HostPathDirectory)},
	}})
	c := &pod.Containers[0]
	c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{
		Name: "extra", MountPath: "/host" + dir, ReadOnly: true, MountPropagation: new(corev1.MountPropagationHostToContainer),
	})
}

// ends deletes the pod and waits until the kubelet has ended it.
func (a *agent) ends(t *testing.T) {
	t.Helper()
	pods := lab.admin.CoreV1().Pods(agentNamespace)
	if err := pods.Delete(t.Context(), agentName, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	await(t, a.kubelet, "the pod to end", 30*time.Second, func(ctx context.Context) error {
		_, err := pods.Get(ctx, agentName, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(errors.New("it is there"), err)
	})
	// Or it was killed when its time was over.
	if took := time.Since(begin); took > 8*time.Second {
		t.Errorf("it took %s to end", took)
	}
}

// logAgent shows the end of what the agent logged.
func logAgent(t *testing.T) {
	t.Helper()
	logs, err := filepath.Glob("/var/log/pods/" + agentNamespace + "_*/*/*.log")
	if err != nil {
		t.Error(err)
	}
	for _, name := range logs {
		text, err := os.ReadFile(name)
		t.Logf("%s (%v):\n%s", name, err, text[max(0, len(text)-4<<10):])
	}
}

// await asks until there is no error.
func await(t *testing.T, k *process.Running, what string, limit time.Duration, check func(context.Context) error) {
	t.Helper()
	if err := k.Await(t.Context(), limit, check); err != nil {
		t.Fatalf("waiting for %s: %v", what, err)
	}
}

// await asks for the report until check is content.
func (a *agent) await(t *testing.T, what string, check func(*v1alpha1.NodeReport) error) (report v1alpha1.NodeReport) {
	t.Helper()
	await(t, a.kubelet, what, 30*time.Second, func(ctx context.Context) error {
		found, err := a.client.Get(ctx, nodeReport())
		if err != nil {
			return err
		}
		text, err := json.Marshal(found)
		if err != nil {
			return err
		}
		report = v1alpha1.NodeReport{}
		if err := json.Unmarshal(text, &report); err != nil {
			return err
		}
		return check(&report)
	})
	return report
}

// nodeReport names the report of this node.
func nodeReport() *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(v1alpha1.GroupVersion.String())
	o.SetKind("NodeReport")
	o.SetName(enclosure.Host)
	return o
}
