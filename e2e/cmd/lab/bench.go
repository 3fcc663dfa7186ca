package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/hardgate-dev/hardgate/e2e/bench"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
)

// concurrency is the load of bench and of profile, unless told otherwise.
const concurrency = 8

func benchCommand(o *options) *cobra.Command {
	plan := bench.Plan{}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure what the webhook costs beyond a server that only reads",
		Long: `bench replays recorded AdmissionReviews to the webhook and to a floor, a server
that reads each request and answers a constant, and compares the CPU time that the
two take for a request. The servers take turns in short rounds, so that a busy
machine slows both. The last line is the ratio: ratio small=1.7 large=1.9`,
		Example: "  lab bench\n  lab bench --rounds 3 --duration 3s",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// The share of CPU time is counted in steps of 10 ms.
			if plan.Rounds < 1 || plan.Concurrency < 1 || plan.Round < time.Second {
				return errors.New("at least one round of one second with one request at a time is needed")
			}
			// Builds and starts take what remains.
			ctx, cancel := context.WithTimeout(cmd.Context(), 15*time.Minute+2*plan.Bound())
			defer cancel()
			return o.withCluster(ctx, func(ctx context.Context, c *cluster.Cluster) error {
				return bench.Run(ctx, c, o.repo, plan, cmd.OutOrStdout())
			})
		},
	}
	f := cmd.Flags()
	f.DurationVar(&plan.Round, "duration", 4*time.Second, "length of one server's turn in a round")
	f.IntVar(&plan.Rounds, "rounds", 7, "rounds for each set of requests")
	f.IntVar(&plan.Concurrency, "concurrency", concurrency, "requests under way at once")
	f.DurationVar(&plan.Warmup, "warm-up", 2*time.Second, "how long each server is warmed up before the rounds")
	return cmd
}
