package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/hardgate-dev/hardgate/e2e/assets"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

// reachable is a network of pods that the node itself is part of: an API server there
// reaches them, and they reach what the node has an address of.
const reachable = `{
  "cniVersion": "0.4.0",
  "name": "lab",
  "plugins": [{
    "type": "bridge",
    "bridge": "lab0",
    "isGateway": true,
    "ipam": {"type": "host-local", "ranges": [[{"subnet": "198.51.100.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}
  }]
}
`

// ConnectPods lets the node and its pods reach each other. The runtime notices by itself.
func ConnectPods() error {
	if err := os.WriteFile(networkFile, []byte(reachable), 0o644); err != nil {
		return fmt.Errorf("connecting the node and its pods: %w", err)
	}
	return nil
}

// StartLocal starts the kubelet of a hardened node in the enclosure of this process, where
// a runtime and the whole cluster are too, and returns when the node is Ready.
func StartLocal(ctx context.Context, c *cluster.Cluster) (*process.Running, error) {
	access, err := c.RESTConfig()
	if err != nil {
		return nil, err
	}
	admin, err := kubernetes.NewForConfig(access)
	if err != nil {
		return nil, fmt.Errorf("starting a node: %w", err)
	}
	if err := harden(); err != nil {
		return nil, err
	}
	cfg := c.Config()
	kubelet, err := startKubelet(ctx, config{Dir: cfg.Dir, Kubeconfig: c.Kubeconfig(User), Kubelet: cfg.Binaries[assets.Kubelet]})
	if err != nil {
		return nil, err
	}
	err = kubelet.Await(ctx, 90*time.Second, func(ctx context.Context) error { return Ready(ctx, admin, Name) })
	if err != nil {
		return nil, errors.Join(err, kubelet.Stop(context.WithoutCancel(ctx), stopGrace))
	}
	return kubelet, nil
}
