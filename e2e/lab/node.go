package lab

import (
	"context"
	"fmt"
	"io"

	"github.com/hardgate-dev/hardgate/e2e/assets"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/heartbeat"
	"github.com/hardgate-dev/hardgate/e2e/node"
	"github.com/hardgate-dev/hardgate/e2e/story"
)

// bystander is a second node, without a machine: the last schedulable one of a pool is
// never tainted.
const bystander = "lab-bystander"

// tell starts the lab's node, or keeps it, and tells its story.
func tell(ctx context.Context, cfg Config, c *cluster.Cluster) (n *node.Node, told []story.Chapter, err error) {
	cfg.Log("installing the agent's DaemonSet and a second node that is none")
	if err := node.DeployAgent(ctx, c, cfg.Repo); err != nil {
		return nil, nil, err
	}
	if _, err := heartbeat.Start(ctx, c, bystander); err != nil {
		return nil, nil, err
	}
	cfg.Log("applying e2e/demo/node-policy.yaml")
	s, err := begin(ctx, cfg, c)
	if err != nil {
		return nil, nil, err
	}
	defer s.End()
	n, fresh, err := node.Start(ctx, c)
	if err != nil {
		return nil, nil, fmt.Errorf("starting the lab's node: %w", err)
	}
	if fresh {
		if told, err = s.Arrival(ctx, n); err != nil {
			return n, nil, err
		}
	}
	cfg.Log("loosening and mending the node %s", node.Name)
	more, err := s.Drift(ctx, n)
	return n, append(told, more...), err
}

func begin(ctx context.Context, cfg Config, c *cluster.Cluster) (*story.Story, error) {
	return story.Begin(ctx, story.Config{Cluster: c, Repo: cfg.Repo, Kubectl: c.Config().Binaries[assets.Kubectl]})
}

// Measure brings a lab up and prints how long it takes from drift to taint on its node.
func Measure(ctx context.Context, cfg Config, trials int, out io.Writer) error {
	l, err := Up(ctx, cfg)
	if err != nil {
		return err
	}
	if l.NoNode != nil {
		return l.NoNode
	}
	s, err := begin(ctx, cfg, l.cluster)
	if err != nil {
		return err
	}
	defer s.End()
	return s.Measure(ctx, l.Node, trials, out)
}
