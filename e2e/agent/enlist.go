package agent

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
)

// What manifests/nodecheck calls the agent's namespace and account.
const (
	Namespace = "hardgate-system"
	Account   = "hardgate-nodecheck"
)

// Install applies the agent's namespace, account and rights, and the admission policies
// that hold it to its own node: all of manifests/nodecheck but the DaemonSet, as the
// agents of a lab are processes. The policies are in force some moments later. The CRDs
// are installed with the gate.
func Install(ctx context.Context, c *cluster.Cluster, repo string) error {
	cfg, err := c.RESTConfig()
	if err != nil {
		return err
	}
	return apply.DirWithout(ctx, cfg, filepath.Join(repo, "manifests", "nodecheck"), "DaemonSet")
}

// Enlist creates a node and the agent's pod on it, and returns the node.
func Enlist(ctx context.Context, admin kubernetes.Interface, name string) (*corev1.Node, error) {
	node, err := admin.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("creating the node %s: %w", name, err)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: podName(name)},
		Spec: corev1.PodSpec{
			NodeName: name, ServiceAccountName: Account, HostNetwork: true,
			Containers: []corev1.Container{{Name: "nodecheck", Image: "registry.example.com/nodecheck:test"}},
		},
	}
	if _, err := admin.CoreV1().Pods(Namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return nil, fmt.Errorf("creating the agent's pod on %s: %w", name, err)
	}
	return node, nil
}

func podName(node string) string { return Account + "-" + node }

// Token asks for a token as the kubelet does for the agent's pod on a node that Enlist
// made: it is bound to the pod and names the node.
func Token(ctx context.Context, admin kubernetes.Interface, node string) (string, error) {
	pod, err := admin.CoreV1().Pods(Namespace).Get(ctx, podName(node), metav1.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("making the agent's token: %w", err)
	}
	return TokenBoundTo(ctx, admin, &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID})
}

// TokenBoundTo asks for a token of the agent's account that is bound to another object
// than a pod, or to none.
func TokenBoundTo(ctx context.Context, admin kubernetes.Interface, to *authenticationv1.BoundObjectReference) (string, error) {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{BoundObjectRef: to}}
	token, err := admin.CoreV1().ServiceAccounts(Namespace).CreateToken(ctx, Account, request, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("making the agent's token: %w", err)
	}
	return token.Status.Token, nil
}

// writeToken writes a token to a file as the kubelet does: the new one takes the old
// one's place.
func writeToken(ctx context.Context, admin kubernetes.Interface, node, file string) error {
	token, err := Token(ctx, admin, node)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", []byte(token), 0o600); err != nil {
		return fmt.Errorf("writing the agent's token: %w", err)
	}
	return os.Rename(file+".new", file)
}
