package integration

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
)

// In the namespace "default" nothing of a user's is created, whatever its kind; what
// the cluster keeps there itself is not touched.
func TestDefaultNamespace(t *testing.T) {
	const namespace = metav1.NamespaceDefault
	if err := cluster.EnsureServiceAccount(t.Context(), lab.admin, namespace, "default"); err != nil {
		t.Fatalf("the account of the system's own: %v", err)
	}
	if err := prepare(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	enforce(t, namespace, "default-namespace")
	client := newClient(t)
	for kind := range kinds {
		_, err := client.Create(t.Context(), workload(t, kind, namespace, compliantPod(namespace).Spec), metav1.CreateOptions{})
		t.Run(kind, func(t *testing.T) { wantDenied(t, err, "default-namespace", "metadata.namespace") })
	}
	core := lab.admin.CoreV1()
	meta := metav1.ObjectMeta{Name: fmt.Sprintf("mine-%d", serial.Add(1))}
	_, err := core.ConfigMaps(namespace).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: meta}, metav1.CreateOptions{})
	wantDenied(t, err, "default-namespace", "metadata.namespace")
	_, err = core.Secrets(namespace).Create(t.Context(), &corev1.Secret{ObjectMeta: meta}, metav1.CreateOptions{})
	wantDenied(t, err, "default-namespace", "metadata.namespace")
	_, err = core.ServiceAccounts(namespace).Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: meta}, metav1.CreateOptions{})
	wantDenied(t, err, "default-namespace", "metadata.namespace")

	root := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "kube-root-ca.crt"}}
	if _, err := core.ConfigMaps(namespace).Create(t.Context(), root, metav1.CreateOptions{}); err != nil {
		t.Errorf("kube-root-ca.crt: %v", err)
	}
	event := &eventsv1.Event{
		ObjectMeta: meta, EventTime: metav1.NowMicro(), ReportingController: "example.com/test", ReportingInstance: "t",
		Action: "Test", Reason: "Test", Type: corev1.EventTypeNormal, Regarding: corev1.ObjectReference{Kind: "Node", Name: "n"},
	}
	if _, err := lab.admin.EventsV1().Events(namespace).Create(t.Context(), event, metav1.CreateOptions{}); err != nil {
		t.Errorf("an event about a node: %v", err)
	}
	if _, err := core.Services(namespace).Get(t.Context(), "kubernetes", metav1.GetOptions{}); err != nil {
		t.Errorf("the Service kubernetes: %v", err)
	}

	elsewhere := newNamespace(t)
	enforce(t, elsewhere, "default-namespace")
	if _, err := core.ConfigMaps(elsewhere).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: meta}, metav1.CreateOptions{}); err != nil {
		t.Errorf("a ConfigMap elsewhere: %v", err)
	}
}

// The gate must not keep a cluster from mending itself.
func TestKubeSystemIsNotLookedAt(t *testing.T) {
	const namespace = metav1.NamespaceSystem
	if err := prepare(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	client, warnings := warned(t)
	bad := compliantPod(namespace)
	privilege(&bad.Spec.Containers[0])
	if _, err := client.CoreV1().Pods(namespace).Create(t.Context(), bad, metav1.CreateOptions{}); err != nil {
		t.Errorf("a privileged pod in kube-system: %v", err)
	}
	if got := warnings.about("hardgate"); len(got) > 0 {
		t.Errorf("warned of %q", got)
	}
}

// The account "default" may be made without a word about its token, but a user may
// not ask for the token.
func TestDefaultServiceAccountItself(t *testing.T) {
	namespace := newNamespace(t)
	enforce(t, namespace, "default-service-account")
	accounts := lab.admin.CoreV1().ServiceAccounts(namespace)
	account, err := accounts.Get(t.Context(), "default", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	account.AutomountServiceAccountToken = new(false)
	account, err = accounts.Update(t.Context(), account, metav1.UpdateOptions{})
	if err != nil {
		t.Fatalf("mending it: %v", err)
	}
	account.AutomountServiceAccountToken = new(true)
	_, err = accounts.Update(t.Context(), account, metav1.UpdateOptions{})
	wantDenied(t, err, "default-service-account", "automountServiceAccountToken")
}
