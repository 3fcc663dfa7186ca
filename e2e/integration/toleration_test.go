package integration

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/taint/key"
)

const toleration = "tainted-node-toleration"

// A pod may not name its node, and has one all the same once it is bound: nothing that
// is done to it then is refused for that.
func TestBoundPodCanBeChanged(t *testing.T) {
	namespace := newNamespace(t)
	enforce(t, namespace, toleration)
	named := compliantPod(namespace)
	named.Spec.NodeName = "worker-1"
	_, err := lab.admin.CoreV1().Pods(namespace).Create(t.Context(), named, metav1.CreateOptions{})
	wantDenied(t, err, toleration, `spec.nodeName: names node "worker-1"`)

	client, warnings := warned(t)
	pods := client.CoreV1().Pods(namespace)
	pod, err := pods.Create(t.Context(), compliantPod(namespace), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := pods.Bind(t.Context(), &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name}, Target: corev1.ObjectReference{Kind: "Node", Name: "worker-1"},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	pod, err = pods.Patch(t.Context(), pod.Name, types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`), metav1.PatchOptions{})
	if err != nil || pod.Spec.NodeName != "worker-1" {
		t.Fatalf("a label on a pod of node %q: %v", pod.Spec.NodeName, err)
	}
	pod.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon(compliantContainer("debug"))}}
	if pod, err = pods.UpdateEphemeralContainers(t.Context(), pod.Name, pod, metav1.UpdateOptions{}); err != nil {
		t.Fatalf("an ephemeral container: %v", err)
	}
	if got := warnings.about(toleration); len(got) > 0 {
		t.Errorf("warned of the scheduler's work: %q", got)
	}

	// Tolerations are the one thing of a pod's spec that grows.
	pod.Spec.Tolerations = append(pod.Spec.Tolerations, corev1.Toleration{Operator: corev1.TolerationOpExists})
	_, err = pods.Update(t.Context(), pod, metav1.UpdateOptions{})
	wantDenied(t, err, toleration, "spec.tolerations[2]: tolerates every taint")
}

// DaemonSets, and the pods that say they are of one, are exempt in the namespaces that
// are named, and there alone. An empty list is not the usual one, when it has been
// through the API server, too.
func TestSystemDaemonSets(t *testing.T) {
	blanket := func(s corev1.PodSpec) corev1.PodSpec {
		s.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}, {Key: key.Unverified, Operator: corev1.TolerationOpExists}}
		return s
	}
	daemonSet := func(namespace string) *appsv1.DaemonSet {
		d := kinds["DaemonSet"].build(metav1.ObjectMeta{Namespace: namespace, GenerateName: "agent-"}, blanket(compliantPod(namespace).Spec))
		return d.(*appsv1.DaemonSet)
	}
	daemonPod := func(namespace string) *corev1.Pod {
		p := compliantPod(namespace)
		p.Spec = blanket(p.Spec)
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "DaemonSet", Name: "agent", UID: "u", Controller: new(true)}}
		return p
	}
	create := func(namespace string) (daemonSetErr, podErr, deploymentErr error) {
		_, daemonSetErr = lab.admin.AppsV1().DaemonSets(namespace).Create(t.Context(), daemonSet(namespace), metav1.CreateOptions{})
		_, podErr = lab.admin.CoreV1().Pods(namespace).Create(t.Context(), daemonPod(namespace), metav1.CreateOptions{})
		_, deploymentErr = newClient(t).Create(t.Context(), workload(t, "Deployment", namespace, blanket(compliantPod(namespace).Spec)), metav1.CreateOptions{})
		return daemonSetErr, podErr, deploymentErr
	}

	tenant := newNamespace(t)
	enforce(t, tenant, toleration)
	daemonSetErr, podErr, _ := create(tenant)
	wantDenied(t, daemonSetErr, toleration, "spec.template.spec.tolerations[0]")
	wantDenied(t, podErr, toleration, "spec.tolerations[0]")

	system := newNamespace(t)
	enforceWith(t, system, map[string]any{"id": toleration, "mode": "Enforce", "parameters": map[string]any{"systemNamespaces": []any{system}}})
	daemonSetErr, podErr, deploymentErr := create(system)
	if daemonSetErr != nil || podErr != nil {
		t.Errorf("in a system namespace: %v, %v", daemonSetErr, podErr)
	}
	wantDenied(t, deploymentErr, toleration, "spec.template.spec.tolerations[0]")

	usual := "calico-system"
	if err := prepare(t.Context(), usual); err != nil {
		t.Fatal(err)
	}
	enforce(t, usual, toleration)
	if daemonSetErr, podErr, _ := create(usual); daemonSetErr != nil || podErr != nil {
		t.Errorf("in %s: %v, %v", usual, daemonSetErr, podErr)
	}

	none := "kube-flannel"
	if err := prepare(t.Context(), none); err != nil {
		t.Fatal(err)
	}
	enforceWith(t, none, map[string]any{"id": toleration, "mode": "Enforce", "parameters": map[string]any{"systemNamespaces": []any{}}})
	daemonSetErr, podErr, _ = create(none)
	wantDenied(t, daemonSetErr, toleration, "spec.template.spec.tolerations[0]")
	wantDenied(t, podErr, toleration, "spec.tolerations[0]")
}
