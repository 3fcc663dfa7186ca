package issuer

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

// Running are the controllers.
type Running struct{ process *process.Running }

// Start installs the kinds of cert-manager and starts its controllers, as an administrator.
// They put one authority in the place of another, as those before 1.19 do: with those that
// know an overlap, less can go wrong.
func Start(ctx context.Context, c *cluster.Cluster, p Program) (*Running, error) {
	if err := install(ctx, c, p); err != nil {
		return nil, fmt.Errorf("starting cert-manager: %w", err)
	}
	dir := c.Config().Dir
	r, err := process.Program{
		Name: "cert-manager", Path: p.path, Dir: dir, Args: []string{"--kubeconfig", cluster.Kubeconfig(dir), "--merge=false"},
	}.Start(ctx)
	if err != nil {
		return nil, fmt.Errorf("starting cert-manager: %w", err)
	}
	return &Running{r}, nil
}

// Stop ends them, and says so if they had ended by themselves.
func (r *Running) Stop(ctx context.Context) error {
	running, err := r.process.Running()
	if err == nil && !running {
		err = fmt.Errorf("cert-manager had ended")
	}
	if stop := r.process.Stop(ctx, 10*time.Second); err == nil {
		err = stop
	}
	return err
}

// Log is the end of what they logged.
func (r *Running) Log() string { return r.process.LogTail() }

// patience is for kinds that are to be served, and for certificates that are to be made.
const patience = time.Minute

// install returns when the kinds are served.
func install(ctx context.Context, c *cluster.Cluster, p Program) error {
	config, err := c.RESTConfig()
	if err != nil {
		return err
	}
	client, err := apply.NewClient(config)
	if err != nil {
		return err
	}
	crds, err := apply.ReadDir(p.crds)
	if err != nil {
		return err
	}
	for _, crd := range crds {
		if _, err := client.Apply(ctx, crd); err != nil {
			return err
		}
	}
	none := &unstructured.Unstructured{}
	none.SetAPIVersion("cert-manager.io/v1")
	none.SetKind("Certificate")
	none.SetNamespace("default")
	none.SetName("none")
	return await(ctx, "its kinds are served", func() error {
		if _, err := client.Get(ctx, none); err == nil || !strings.Contains(err.Error(), `"none" not found`) {
			return fmt.Errorf("asking for a Certificate that is not there: %w", err)
		}
		return nil
	})
}

func await(ctx context.Context, what string, check func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", what, err)
		}
	}
}
