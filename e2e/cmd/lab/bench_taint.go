package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/hardgate-dev/hardgate/e2e/lab"
	"github.com/hardgate-dev/hardgate/e2e/node"
)

func benchTaintCommand(o *options) *cobra.Command {
	var trials int
	cmd := &cobra.Command{
		Use:   "bench-taint",
		Short: "Measure the time from drift to taint on a real node",
		Long: `bench-taint starts a cluster with a real node, of its own, and lets the node drift
again and again: a file, and a setting of the kernel. It measures from the write until
a watch on the Node shows the taint, and from the mending until it is gone. A trial
takes eleven seconds, of each kind: the agent does not hurry where changes come without
end. It needs root and containerd. The results are the lines that begin with "taint".`,
		Example: "  lab bench-taint\n  lab bench-taint --trials 10",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if trials < 1 {
				return errors.New("at least one trial is needed")
			}
			if err := node.Possible(); err != nil {
				o.log("no real node, so nothing to measure from drift to taint: %v", err)
				return nil
			}
			dir, err := os.MkdirTemp("", "hardgate-lab-")
			if err != nil {
				return err
			}
			cfg := lab.Config{Repo: o.repo, Dir: filepath.Join(dir, "lab"), Log: o.log}
			if cfg.Program, err = os.Executable(); err != nil {
				return err
			}
			defer func() {
				down := lab.Down(context.WithoutCancel(cmd.Context()), cfg.Dir, false, o.log)
				err = errors.Join(err, down, os.RemoveAll(dir))
			}()
			// Builds and starts take what remains.
			ctx, cancel := context.WithTimeout(cmd.Context(), 15*time.Minute+time.Duration(trials)*time.Minute)
			defer cancel()
			return lab.Measure(ctx, cfg, trials, cmd.OutOrStdout())
		},
	}
	cmd.Flags().IntVar(&trials, "trials", 50, "how often the node drifts in each way")
	return cmd
}
