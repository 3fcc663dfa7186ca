package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/hardgate-dev/hardgate/e2e/agent"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
)

func benchNodeCommand(o *options) *cobra.Command {
	var root string
	var window time.Duration
	cmd := &cobra.Command{
		Use:   "bench-node",
		Short: "Measure what the agent and hardgate node cost on a node",
		Long: `bench-node runs the agent over this machine, or over a directory that plays a node,
against a real API server: once idle, with its polling on, and once scanning all the
time. Then it runs "hardgate node" as a process of its own. The results are the lines
that begin with "node": node scan=3.10ms pass=4.40ms idle=0.040% rss=17.0MiB`,
		Example: "  lab bench-node\n  lab bench-node --root testdata/node --duration 5m",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if window < 10*time.Second {
				return errors.New("at least ten seconds are needed")
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), 15*time.Minute+3*window)
			defer cancel()
			return o.withCluster(ctx, func(ctx context.Context, c *cluster.Cluster) error {
				if err := agent.Measure(ctx, c, o.repo, root, window, cmd.OutOrStdout()); err != nil {
					return err
				}
				return agent.MeasureCommand(ctx, o.repo, root, cmd.OutOrStdout())
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&root, "root", "/", "`directory` of the node")
	f.DurationVar(&window, "duration", time.Minute, "how long each of the two is watched")
	return cmd
}
