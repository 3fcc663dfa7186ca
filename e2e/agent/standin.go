package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/hardgate-dev/hardgate/e2e/gate"
)

// standInConfig is a configuration as kubeadm writes it.
const standInConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: %[1]s/ca.crt
authorization:
  mode: Webhook
  webhook:
    cacheAuthorizedTTL: 0s
    cacheUnauthorizedTTL: 0s
cgroupDriver: systemd
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
rotateCertificates: true
serverTLSBootstrap: true
staticPodPath: /etc/kubernetes/manifests
tlsCipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]
podPidsLimit: 4096
seccompDefault: true
protectKernelDefaults: true
`

// standIn runs a process that is called kubelet, has a kubelet's command line and
// configuration, and does nothing: for an agent's reading, this machine is a node
// then. stop ends it.
func standIn(ctx context.Context, repo, dir string) (stop func(), err error) {
	binary, files := filepath.Join(dir, "bin", "kubelet"), filepath.Join(dir, "kubelet")
	if err := errors.Join(os.MkdirAll(filepath.Dir(binary), 0o700), os.MkdirAll(files, 0o700)); err != nil {
		return nil, fmt.Errorf("making a stand-in for the kubelet: %w", err)
	}
	if err := gate.Build(ctx, filepath.Join(repo, "e2e"), "./cmd/pause", binary); err != nil {
		return nil, err
	}
	for name, text := range map[string]string{
		"config.yaml": fmt.Sprintf(standInConfig, files), "kubeconfig": "apiVersion: v1\nkind: Config\n", "ca.crt": "",
	} {
		if err := os.WriteFile(filepath.Join(files, name), []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("making a stand-in for the kubelet: %w", err)
		}
	}
	cmd := exec.CommandContext(ctx, binary, "--config="+filepath.Join(files, "config.yaml"), "--kubeconfig="+filepath.Join(files, "kubeconfig"))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting a stand-in for the kubelet: %w", err)
	}
	return func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // it was told to end
	}, nil
}
