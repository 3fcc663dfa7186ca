// Package lab is `make up`: a cluster that outlives the command, with hardgate
// at its door, and a demonstration of what the gate does.
package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/assets"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/flock"
	"github.com/hardgate-dev/hardgate/e2e/gate"
)

// Config says where the lab is.
type Config struct {
	Repo string // the root of the checkout
	Dir  string // the state directory
	// Log tells a person what is being done. It must not be nil.
	Log func(format string, args ...any)
}

// enforced is the namespace of the demonstration. What the gate does not answer
// for, the API server refuses there.
const enforced = "shop"

// Lab is one that is up.
type Lab struct {
	Kubectl  string
	Verdicts []Verdict
}

// Up starts the lab, or mends what is there, and tries the demonstration's
// Deployments at the gate.
func Up(ctx context.Context, cfg Config) (*Lab, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the state directory: %w", err)
	}
	if !owned(cfg.Dir) {
		return nil, fmt.Errorf("%s holds other files: name an empty or a new state directory", cfg.Dir)
	}
	binaries, err := assets.Get(ctx, assets.Config{Repo: cfg.Repo, Log: cfg.Log}, assets.All())
	if err != nil {
		return nil, err
	}
	unlock, err := flock.Lock(ctx, cfg.Dir, func() { cfg.Log("another run works in %s: waiting for it", cfg.Dir) })
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := mark(cfg.Dir); err != nil {
		return nil, err
	}
	c, err := cluster.Start(ctx, cluster.Config{
		Dir: cfg.Dir, Binaries: binaries, Controllers: true, Users: []string{gate.User}, Detached: true, Log: cfg.Log,
	})
	if err != nil {
		return nil, err
	}
	cfg.Log("building the webhook")
	g, err := gate.Start(ctx, c, cfg.Repo)
	if err != nil {
		return nil, err
	}
	verdicts, err := demonstrate(ctx, cfg, c, g)
	if err != nil {
		return nil, err
	}
	return &Lab{Kubectl: binaries[assets.Kubectl], Verdicts: verdicts}, nil
}

func demonstrate(ctx context.Context, cfg Config, c *cluster.Cluster, g *gate.Gate) ([]Verdict, error) {
	access, err := c.RESTConfig()
	if err != nil {
		return nil, err
	}
	client, err := apply.NewClient(access)
	if err != nil {
		return nil, err
	}
	cfg.Log("registering the webhook and applying e2e/demo/setup.yaml")
	if err := g.Register(ctx, []string{enforced}); err != nil {
		return nil, err
	}
	d := demo{dir: filepath.Join(cfg.Repo, "e2e", "demo"), client: client}
	if err := d.setUp(ctx); err != nil {
		return nil, err
	}
	return d.run(ctx)
}
