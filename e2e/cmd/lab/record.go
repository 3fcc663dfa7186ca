package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hardgate-dev/hardgate/e2e/assets"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/record"
)

func recordCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "record",
		Short: "Record the AdmissionReviews that an API server really sends",
		Long: `record starts a cluster of its own, registers a webhook that allows everything,
creates pods and writes what the API server sent to e2e/bench/testdata.`,
		Example: "  lab record",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir := filepath.Join(o.repo, "e2e", "bench", "testdata")
			return o.withCluster(cmd.Context(), func(ctx context.Context, c *cluster.Cluster) error {
				if err := record.Record(ctx, c, dir); err != nil {
					return err
				}
				o.log("recorded to %s", dir)
				return nil
			})
		},
	}
}

// withCluster runs something against a cluster that exists as long as it does.
func (o *options) withCluster(ctx context.Context, do func(context.Context, *cluster.Cluster) error) (err error) {
	binaries, err := assets.Get(ctx, assets.Config{Repo: o.repo, Log: o.log}, assets.Minimal())
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "hardgate-lab-")
	if err != nil {
		return fmt.Errorf("making a state directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c, err := cluster.Start(ctx, cluster.Config{Dir: dir, Binaries: binaries, Users: []string{gate.User}, Log: o.log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Stop(context.WithoutCancel(ctx))) }()
	return do(ctx, c)
}
