package heartbeat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/node"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

// Start runs Keep for a node of the cluster as a process, with what node.Build has built.
// It returns when the node is Ready; stop ends what this call has started.
func Start(ctx context.Context, c *cluster.Cluster, name string) (stop func(context.Context) error, err error) {
	access, err := c.RESTConfig()
	if err != nil {
		return nil, err
	}
	core, err := kubernetes.NewForConfig(access)
	if err != nil {
		return nil, fmt.Errorf("starting a heartbeat: %w", err)
	}
	const grace = 5 * time.Second
	cfg := c.Config()
	r, started, err := process.Service{
		Ports: c.Ports(),
		Program: func() process.Program {
			return process.Program{
				Name: "heartbeat", Path: node.LabProgram(c), Args: []string{"heartbeat", "--dir", cfg.Dir, name},
				Dir: cfg.Dir, Detached: cfg.Detached, Reads: []string{cluster.Kubeconfig(cfg.Dir)},
			}
		},
		Ready: func(ctx context.Context) error { return node.Ready(ctx, core, name) },
		Limit: 30 * time.Second, Grace: grace, Log: cfg.Log,
	}.Ensure(ctx)
	stop = func(ctx context.Context) error {
		if !started {
			return nil
		}
		return r.Stop(ctx, grace)
	}
	if err != nil && !cfg.Detached {
		err = errors.Join(err, stop(context.WithoutCancel(ctx)))
	}
	return stop, err
}
