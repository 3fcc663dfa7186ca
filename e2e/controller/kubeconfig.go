package controller

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
)

// tokenLife is how long the controller's token is good: nobody replaces it, as kubelets
// do for pods.
const tokenLife = 7 * 24 * time.Hour

// writeKubeconfig writes the file with which the controller reaches the cluster. The
// token has a file of its own: a new one is no other configuration.
func writeKubeconfig(ctx context.Context, c *cluster.Cluster) (string, error) {
	admin, err := c.RESTConfig()
	if err != nil {
		return "", err
	}
	client, err := kubernetes.NewForConfig(admin)
	if err != nil {
		return "", err
	}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: new(int64(tokenLife.Seconds()))}}
	token, err := client.CoreV1().ServiceAccounts(Namespace).CreateToken(ctx, Account, request, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("making the controller's token: %w", err)
	}
	dir := c.Config().Dir
	file := filepath.Join(dir, "pki", Account+".token")
	if err := os.WriteFile(file+".new", []byte(token.Status.Token), 0o600); err != nil {
		return "", fmt.Errorf("writing the controller's token: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return "", fmt.Errorf("writing the controller's token: %w", err)
	}
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters[Account] = &clientcmdapi.Cluster{Server: admin.Host, CertificateAuthority: filepath.Join(dir, "pki", "ca.crt")}
	cfg.AuthInfos[Account] = &clientcmdapi.AuthInfo{TokenFile: file}
	cfg.Contexts[Account] = &clientcmdapi.Context{Cluster: Account, AuthInfo: Account}
	cfg.CurrentContext = Account
	path := filepath.Join(dir, "pki", Account+".kubeconfig")
	if err := clientcmd.WriteToFile(*cfg, path); err != nil {
		return "", fmt.Errorf("writing the controller's kubeconfig: %w", err)
	}
	return path, nil
}
