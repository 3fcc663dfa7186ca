package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/hardgate-dev/hardgate/e2e/bench"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
)

func profileCommand(o *options) *cobra.Command {
	plan := bench.Plan{Warmup: 2 * time.Second, Rounds: 1}
	var out string
	cmd := &cobra.Command{
		Use:   "profile",
		Short: "Renew the CPU profile that the webhook is built with",
		Long: `profile replays the recorded AdmissionReviews to the webhook, as bench does, takes a
CPU profile of each set and writes both as one to cmd/webhook/default.pgo. From
there go build takes it for profile-guided optimisation.`,
		Example: "  lab profile\n  lab profile --duration 30s --out /tmp/webhook.pgo",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if plan.Concurrency < 1 || plan.Round < time.Second {
				return errors.New("at least one second with one request at a time is needed")
			}
			plan.Round = plan.Round.Truncate(time.Second) // the webhook counts so
			if out == "" {
				out = filepath.Join(o.repo, "cmd", "webhook", "default.pgo")
			}
			// Builds and starts take what remains.
			ctx, cancel := context.WithTimeout(cmd.Context(), 15*time.Minute+2*plan.Bound())
			defer cancel()
			return o.withCluster(ctx, func(ctx context.Context, c *cluster.Cluster) error {
				packed, err := bench.Profile(ctx, c, o.repo, plan)
				if err != nil {
					return err
				}
				if err := replace(out, packed); err != nil {
					return fmt.Errorf("writing the profile: %w", err)
				}
				o.log("wrote %d bytes to %s", len(packed), out)
				return nil
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "where to write (default: cmd/webhook/default.pgo in the checkout)")
	f.DurationVar(&plan.Round, "duration", 10*time.Second, "length of each set's profile, in whole seconds")
	f.IntVar(&plan.Concurrency, "concurrency", concurrency, "requests under way at once")
	return cmd
}

// replace writes a file of the checkout: its reader sees all of the old or of the new.
func replace(path string, content []byte) error {
	next := path + ".next"
	err := os.WriteFile(next, content, 0o644)
	if err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return nil
}
