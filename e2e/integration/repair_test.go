package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/webhook/registration"
)

const repairedAnnotation = "hardgate.dev/repaired"

// repairIn enforces and repairs the controls in a namespace, and has the API server ask
// for repairs there, at an address. It returns once it does.
func repairIn(t *testing.T, namespace, url string, controls ...string) {
	t.Helper()
	var settings []map[string]any
	for _, id := range controls {
		settings = append(settings, map[string]any{"id": id, "mode": "Enforce", "repair": true})
	}
	enforceWith(t, namespace, settings...)
	registerRepair(t, "hardgate-"+namespace, registration.Options{URL: url, CABundle: lab.gate.CA(), Repaired: registration.Repaired{Namespaces: []string{namespace}}})
	awaitRepair(t, namespace)
}

// registerRepair registers what BuildMutating makes, without its webhook for nodes, under
// a name of the test's own.
func registerRepair(t *testing.T, name string, o registration.Options) {
	t.Helper()
	built := registration.BuildMutating(o)
	built.Name, built.Webhooks = name, built.Webhooks[1:]
	register(t, built)
}

func register(t *testing.T, c *admissionregistrationv1.MutatingWebhookConfiguration) {
	t.Helper()
	client := lab.admin.AdmissionregistrationV1().MutatingWebhookConfigurations()
	if _, err := client.Create(t.Context(), c, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Delete(ctxOf(t), c.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
}

func awaitRepair(t *testing.T, namespace string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		trial, err := lab.admin.CoreV1().Pods(namespace).Create(t.Context(), barePod(namespace), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err == nil && trial.Annotations[repairedAnnotation] != "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing is repaired: %v", err)
		}
	}
}

// barePod says nothing that a repair could add.
func barePod(namespace string, containers ...string) *corev1.Pod {
	pod := compliantPod(namespace)
	pod.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsNonRoot: new(true), RunAsUser: new(int64(10001))}
	pod.Spec.Containers = nil
	for _, name := range append([]string{"web"}, containers...) {
		c := compliantContainer(name)
		c.SecurityContext = nil
		pod.Spec.Containers = append(pod.Spec.Containers, c)
	}
	return pod
}

var podControls = []string{"net-raw", "privilege-escalation", "seccomp"}

// A pod that says nothing is repaired and then taken by the controls that are enforced; the
// client is told.
func TestRepairedPodIsAdmitted(t *testing.T) {
	namespace := newNamespace(t)
	repairIn(t, namespace, lab.gate.URL(), podControls...)
	client, warnings := warned(t)
	pods := client.CoreV1().Pods(namespace)

	pod := barePod(namespace, "second")
	pod.Spec.InitContainers = []corev1.Container{compliantContainer("side")}
	pod.Spec.InitContainers[0].SecurityContext = nil
	pod.Spec.InitContainers[0].RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
	dry, err := pods.Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil {
		t.Fatalf("dry run: %v", err)
	}
	stored, err := pods.Create(t.Context(), pod, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dry.Spec, stored.Spec); diff != "" {
		t.Errorf("a dry run shows something else (-dry +stored):\n%s", diff)
	}
	want := &corev1.SecurityContext{AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"NET_RAW"}}}
	for _, c := range append(stored.Spec.InitContainers, stored.Spec.Containers...) {
		if diff := cmp.Diff(want, c.SecurityContext); diff != "" {
			t.Errorf("container %s (-want +got):\n%s", c.Name, diff)
		}
	}
	wantPod := &corev1.PodSecurityContext{
		RunAsNonRoot: new(true), RunAsUser: new(int64(10001)), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
	if diff := cmp.Diff(wantPod, stored.Spec.SecurityContext); diff != "" {
		t.Errorf("pod (-want +got):\n%s", diff)
	}
	if got := stored.Annotations[repairedAnnotation]; got != "net-raw,privilege-escalation,seccomp" {
		t.Errorf("annotation %q", got)
	}
	for id, text := range map[string]string{
		"net-raw": `NET_RAW added to securityContext.capabilities.drop in the containers "side", "web", "second"`,
		"seccomp": `spec.securityContext.seccompProfile set to {type: RuntimeDefault}`,
	} {
		got := warnings.about("hardgate: " + id + " ")
		if len(got) == 0 || !strings.Contains(got[0], "repaired: "+text) {
			t.Errorf("warnings %q, want %q", got, text)
		}
	}
}

// A Deployment whose pods are repaired is taken, with a warning, and stays as it is.
func TestRepairLeavesTemplates(t *testing.T) {
	namespace := newNamespace(t)
	repairIn(t, namespace, lab.gate.URL(), podControls...)
	client, warnings := warned(t)
	pod := barePod(namespace)
	labels := map[string]string{"app": "web"}
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: appsv1.DeploymentSpec{
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod.Spec},
	}}
	stored, err := client.AppsV1().Deployments(namespace).Create(t.Context(), deployment, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if stored.Spec.Template.Spec.Containers[0].SecurityContext != nil || stored.Annotations[repairedAnnotation] != "" {
		t.Errorf("it has changed: %+v", stored)
	}
	if got := warnings.about("hardgate: net-raw "); len(got) != 1 || !strings.Contains(got[0], "its pods are repaired") {
		t.Errorf("warnings %q", got)
	}
	deployment.Name, deployment.Spec.Template.Spec.Containers[0].SecurityContext = "loose", &corev1.SecurityContext{AllowPrivilegeEscalation: new(true)}
	_, err = client.AppsV1().Deployments(namespace).Create(t.Context(), deployment, metav1.CreateOptions{})
	wantDenied(t, err, "privilege-escalation", "spec.template.spec.containers[0].securityContext.allowPrivilegeEscalation")
}

// What a pod says stays, and is judged.
func TestRepairLeavesWhatIsSaid(t *testing.T) {
	namespace := newNamespace(t)
	repairIn(t, namespace, lab.gate.URL(), podControls...)
	pods := lab.admin.CoreV1().Pods(namespace)

	said := barePod(namespace)
	said.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{AllowPrivilegeEscalation: new(true)}
	_, err := pods.Create(t.Context(), said, metav1.CreateOptions{})
	wantDenied(t, err, "privilege-escalation", "spec.containers[0].securityContext.allowPrivilegeEscalation: allowPrivilegeEscalation is true")

	confined := barePod(namespace)
	confined.Spec.SecurityContext.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeUnconfined}
	_, err = pods.Create(t.Context(), confined, metav1.CreateOptions{})
	wantDenied(t, err, "seccomp", "seccompProfile.type is Unconfined")

	// The API server refuses both of these with allowPrivilegeEscalation false.
	admin := barePod(namespace)
	admin.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Capabilities: &corev1.Capabilities{Add: []corev1.Capability{"CAP_SYS_ADMIN"}}}
	_, err = pods.Create(t.Context(), admin, metav1.CreateOptions{})
	wantDenied(t, err, "privilege-escalation", "allowPrivilegeEscalation is unset")

	// An object as a user writes it, with all sorts of fields.
	rich := barePod(namespace)
	rich.Annotations = map[string]string{repairedAnnotation: "all", "example.com/a.b_c": "b"}
	rich.Spec.HostAliases = []corev1.HostAlias{{IP: "192.0.2.1", Hostnames: []string{"a"}}}
	rich.Spec.SecurityContext.Sysctls = []corev1.Sysctl{{Name: "net.ipv4.ip_unprivileged_port_start", Value: "1"}}
	rich.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{ProcMount: new(corev1.DefaultProcMount), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"MKNOD", "CHOWN"}}}
	rich.Spec.Containers[0].ResizePolicy = []corev1.ContainerResizePolicy{{ResourceName: corev1.ResourceCPU, RestartPolicy: corev1.NotRequired}}
	rich.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")}
	elsewhere := newNamespace(t)
	plain := rich.DeepCopy()
	plain.Namespace = elsewhere
	asked, err := lab.admin.CoreV1().Pods(elsewhere).Create(t.Context(), plain, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := pods.Create(t.Context(), rich, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sec := asked.Spec.Containers[0].SecurityContext
	sec.AllowPrivilegeEscalation = new(false)
	sec.Capabilities.Drop = append(sec.Capabilities.Drop, "NET_RAW")
	asked.Spec.SecurityContext.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}
	if diff := cmp.Diff(asked.Spec, got.Spec); diff != "" {
		t.Errorf("spec (-asked and repaired +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{repairedAnnotation: "net-raw,privilege-escalation,seccomp", "example.com/a.b_c": "b"}, got.Annotations); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
}

// The API server refuses a pod whose field says another profile than its old annotation:
// such a pod is left as it came.
func TestRepairDoesNotContradictAnAnnotation(t *testing.T) {
	namespace := newNamespace(t)
	repairIn(t, namespace, lab.gate.URL(), podControls...)
	pods := lab.admin.CoreV1().Pods(namespace)
	old := barePod(namespace)
	old.Annotations = map[string]string{"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}
	_, err := pods.Create(t.Context(), old, metav1.CreateOptions{})
	wantDenied(t, err, "seccomp", "seccompProfile is unset")
	old.Spec.SecurityContext.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}
	if _, err := pods.Create(t.Context(), old, metav1.CreateOptions{}); !apierrors.IsInvalid(err) {
		t.Errorf("the API server takes both: %v; then a repair may set the field", err)
	}
	old.Annotations["seccomp.security.alpha.kubernetes.io/pod"] = "docker/default"
	old.Spec.SecurityContext.SeccompProfile = nil
	if got, err := pods.Create(t.Context(), old, metav1.CreateOptions{}); err != nil || got.Spec.SecurityContext.SeccompProfile == nil {
		t.Errorf("a pod whose annotation says the same is not repaired: %v", err)
	}
}

// While the gate is away for repairs, a pod goes on as it came, and is judged.
func TestRepairThatIsAway(t *testing.T) {
	namespace := newNamespace(t)
	door := newDoor(t, lab.gate.URL())
	repairIn(t, namespace, door.url(), podControls...)
	door.shut()
	pods := lab.admin.CoreV1().Pods(namespace)
	_, err := pods.Create(t.Context(), barePod(namespace), metav1.CreateOptions{})
	wantDenied(t, err, "net-raw", "spec.containers[0].securityContext.capabilities.drop")
	good, err := pods.Create(t.Context(), compliantPod(namespace), metav1.CreateOptions{})
	if err != nil || good.Annotations[repairedAnnotation] != "" {
		t.Errorf("a good pod gives %v, annotations %v", err, good.Annotations)
	}
	door.open()
	awaitRepair(t, namespace)
}

// The account "default" of a namespace that is made after the registration mounts no token.
func TestRepairOfTheDefaultAccount(t *testing.T) {
	namespace := fmt.Sprintf("test-%d", serial.Add(1))
	enforceWith(t, newNamespace(t)) // of the gate, nothing else is asked
	registerRepair(t, "hardgate-"+namespace, registration.Options{URL: lab.gate.URL(), CABundle: lab.gate.CA(), Repaired: registration.Repaired{Accounts: true}})
	policy := workloadPolicy(namespace, map[string]any{"id": "default-service-account", "mode": "Audit", "repair": true})
	if _, err := newClient(t).Apply(t.Context(), policy); err != nil {
		t.Fatal(err)
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if _, err := lab.admin.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	client, warnings := warned(t)
	accounts := client.CoreV1().ServiceAccounts(namespace)
	create := func(name string, options metav1.CreateOptions) *corev1.ServiceAccount {
		a, err := accounts.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, options)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for deadline := time.Now().Add(20 * time.Second); create("default", metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}).AutomountServiceAccountToken == nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the account is not repaired")
		}
	}
	if a := create("default", metav1.CreateOptions{}); a.AutomountServiceAccountToken == nil || *a.AutomountServiceAccountToken || a.Annotations[repairedAnnotation] != "default-service-account" {
		t.Errorf("%+v", a)
	}
	if a := create("other", metav1.CreateOptions{}); a.AutomountServiceAccountToken != nil || len(a.Annotations) > 0 {
		t.Errorf("another account is repaired: %+v", a)
	}
	if len(warnings.about("automountServiceAccountToken set to false")) == 0 {
		t.Error("the client is not told")
	}
	pod := barePod(namespace)
	pod.Spec.ServiceAccountName, pod.Spec.AutomountServiceAccountToken = "", nil
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) { // the API server's cache of accounts
		got, err := client.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err == nil {
			if len(got.Spec.Volumes) > 0 {
				t.Errorf("a token is mounted: %+v", got.Spec.Volumes)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// A repair that does not exist is refused, with those that do.
func TestRepairByAControlThatHasNone(t *testing.T) {
	policy := workloadPolicy("no-repair", map[string]any{"id": "host-ports", "repair": true})
	_, err := newClient(t).Apply(t.Context(), policy)
	if err == nil || !strings.Contains(err.Error(), `spec.controls[0].repair: control "host-ports" repairs nothing`) {
		t.Errorf("error %v", err)
	}
}
