// Package lab is `make up`: a cluster that outlives the command, with hardgate
// at its door, and a demonstration of what the gate does.
package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/assets"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/flock"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/node"
	"github.com/hardgate-dev/hardgate/e2e/story"
)

// Config says where the lab is.
type Config struct {
	Repo string // the root of the checkout
	Dir  string // the state directory
	// Program is the lab's own; empty where another, such as a test, calls Up.
	Program string
	// Detached lets the lab outlive this process.
	Detached bool
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
	// Promotion is what became of a rollout.
	Promotion *Promotion
	// NoNode is why the lab has no node; nil when it has one.
	NoNode error
	Node   *node.Node
	Story  []story.Chapter

	cluster *cluster.Cluster
}

// Up starts the lab, or mends what is there, tries the demonstration's Deployments at
// the gate and tells the story of its node, where this machine can run one.
func Up(ctx context.Context, cfg Config) (*Lab, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the state directory: %w", err)
	}
	if !owned(cfg.Dir) {
		return nil, fmt.Errorf("%s holds other files: name an empty or a new state directory", cfg.Dir)
	}
	l := &Lab{NoNode: node.Possible()}
	want := assets.All()
	if l.NoNode == nil {
		want = append(want, assets.Kubelet)
	}
	binaries, err := assets.Get(ctx, assets.Config{Repo: cfg.Repo, Log: cfg.Log}, want)
	if err != nil {
		return nil, err
	}
	l.Kubectl = binaries[assets.Kubectl]
	unlock, err := flock.Lock(ctx, cfg.Dir, func() { cfg.Log("another run works in %s: waiting for it", cfg.Dir) })
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := mark(cfg.Dir); err != nil {
		return nil, err
	}
	var building sync.WaitGroup
	var broken error
	if l.NoNode == nil {
		// While the control plane comes up.
		building.Go(func() { broken = node.Build(ctx, cfg.Dir, cfg.Repo, cfg.Program) })
	}
	defer building.Wait()
	c, err := cluster.Start(ctx, cluster.Config{
		Dir: cfg.Dir, Binaries: binaries, Controllers: true, Users: []string{gate.User, node.User}, Detached: cfg.Detached, Log: cfg.Log,
	})
	if err != nil {
		return nil, err
	}
	l.cluster = c
	cfg.Log("building hardgate")
	g, err := gate.Start(ctx, c, cfg.Repo)
	if err != nil {
		return nil, err
	}
	if l.Verdicts, err = demonstrate(ctx, cfg, c, g); err != nil {
		return l, err
	}
	if l.Promotion, err = rollOut(ctx, cfg, c); err != nil || l.NoNode != nil {
		return l, err
	}
	if building.Wait(); broken != nil {
		return nil, broken
	}
	l.Node, l.Story, err = tell(ctx, cfg, c)
	return l, err
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
