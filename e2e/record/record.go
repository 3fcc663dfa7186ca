package record

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
)

// namespace is where the recorded pods are created.
const namespace = "shop"

// Record creates the pods of each set and writes what the API server sent to
// dir/SET/NN-name.json, replacing what is there.
func Record(ctx context.Context, c *cluster.Cluster, dir string) (err error) {
	cfg, err := c.RESTConfig()
	if err != nil {
		return err
	}
	sets, err := Sets()
	if err != nil {
		return err
	}
	s, err := newServer()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	r, err := prepare(ctx, cfg, s)
	if err != nil {
		return err
	}
	for set, pods := range sets {
		if err := r.recordSet(ctx, filepath.Join(dir, set), pods); err != nil {
			return fmt.Errorf("recording the %s pods: %w", set, err)
		}
	}
	return nil
}

// recorder creates pods as the ReplicaSet controller.
type recorder struct {
	server *server
	client kubernetes.Interface
}

func prepare(ctx context.Context, cfg *rest.Config, s *server) (*recorder, error) {
	admin, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	if err := cluster.EnsureNamespace(ctx, admin, namespace); err != nil {
		return nil, err
	}
	if err := cluster.EnsureServiceAccount(ctx, admin, namespace, "web"); err != nil {
		return nil, err
	}
	if err := register(ctx, admin, s); err != nil {
		return nil, err
	}
	// Nearly all pods of a cluster are created by a controller.
	as := rest.CopyConfig(cfg)
	as.UserAgent = "kube-controller-manager/v1.36.3 (linux/amd64) kubernetes/system:serviceaccount:kube-system:replicaset-controller"
	as.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:kube-system:replicaset-controller",
		UID:      "2b1f6b0e-7c0d-4a46-9d0b-6f2f6f0f9c11",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"},
	}
	client, err := kubernetes.NewForConfig(as)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	r := &recorder{server: s, client: client}
	if err := r.awaitRegistration(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

func register(ctx context.Context, client kubernetes.Interface, s *server) error {
	path := s.url + "/record"
	webhook := admissionregistrationv1.ValidatingWebhook{
		Name:         "record.hardgate.dev",
		ClientConfig: admissionregistrationv1.WebhookClientConfig{URL: &path, CABundle: s.ca},
		Rules: []admissionregistrationv1.RuleWithOperations{{
			Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
			Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
		}},
		FailurePolicy:           new(admissionregistrationv1.Fail),
		SideEffects:             new(admissionregistrationv1.SideEffectClassNone),
		AdmissionReviewVersions: []string{"v1"},
	}
	cfg := &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "record"},
		Webhooks:   []admissionregistrationv1.ValidatingWebhook{webhook},
	}
	_, err := client.AdmissionregistrationV1().ValidatingWebhookConfigurations().Create(ctx, cfg, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("registering the recorder: %w", err)
	}
	return nil
}

// awaitRegistration creates a pod on trial until the API server, which notices a
// registration some time after it is stored, asks the recorder.
func (r *recorder) awaitRegistration(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	trial := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "trial-"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "registry.example.com/trial:1"}}},
	}
	for {
		_, err := r.client.CoreV1().Pods(namespace).Create(ctx, trial, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err != nil {
			return fmt.Errorf("waiting for the recorder to be asked: %w", err)
		}
		if len(r.server.take()) > 0 {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("waiting for the recorder to be asked: %w", ctx.Err())
		}
	}
}

func (r *recorder) recordSet(ctx context.Context, dir string, pods []Pod) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i, pod := range pods {
		if _, err := r.client.CoreV1().Pods(namespace).Create(ctx, pod.Pod, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("creating %s: %w", pod.Name, err)
		}
		bodies := r.server.take()
		if len(bodies) != 1 {
			return fmt.Errorf("creating %s: the recorder was asked %d times", pod.Name, len(bodies))
		}
		if err := os.WriteFile(filepath.Join(dir, fileName(i, pod)+".json"), bodies[0], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// fileName of a recording, without extension.
func fileName(i int, pod Pod) string { return fmt.Sprintf("%02d-%s", i+1, pod.Name) }
