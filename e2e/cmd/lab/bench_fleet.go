package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/fleet"
)

func benchFleetCommand(o *options) *cobra.Command {
	var nodes int
	var window time.Duration
	cmd := &cobra.Command{
		Use:   "bench-fleet",
		Short: "Measure the controller over a simulated fleet",
		Long: `bench-fleet makes Node, NodeReport and Lease objects in a real API server and runs
the controller over them: while nothing happens but the agents' heartbeats, while
the whole fleet fails one control, and while a twentieth of it does. The results are
the lines that begin with "fleet": fleet writes=16.9/s storm=4.0s tainted=0 …`,
		Example: "  lab bench-fleet\n  lab bench-fleet --nodes 500 --duration 20s",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if nodes < 40 || window < 5*time.Second {
				return errors.New("at least 40 nodes and five seconds are needed")
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), 40*time.Minute+window)
			defer cancel()
			return o.withCluster(ctx, func(ctx context.Context, c *cluster.Cluster) error {
				return fleet.Measure(ctx, c, o.repo, nodes, window, cmd.OutOrStdout())
			})
		},
	}
	f := cmd.Flags()
	f.IntVar(&nodes, "nodes", 5000, "how many nodes there are")
	f.DurationVar(&window, "duration", time.Minute, "how long the steady state is watched")
	return cmd
}
