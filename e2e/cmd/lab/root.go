package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/hardgate-dev/hardgate/e2e/repo"
)

// options are those of every subcommand.
type options struct {
	repo string
	dir  string
	log  func(format string, args ...any)
}

func root() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Run hardgate against a real control plane on this machine",
		Long: `lab starts a real etcd, kube-apiserver, controller-manager and scheduler on this
machine's loopback, with hardgate at the API server's door. It needs Go and
nothing else: no containers, no root, no image registry. The first run builds the
control plane from source, once. As root, with containerd and runc, it has a real node
besides.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			root, err := repo.Root()
			if err != nil {
				return err
			}
			o.repo = root
			if o.dir == "" {
				o.dir = filepath.Join(root, ".lab")
			}
			if o.dir, err = filepath.Abs(o.dir); err != nil {
				return fmt.Errorf("finding the state directory: %w", err)
			}
			o.log = progress(cmd.ErrOrStderr())
			return nil
		},
	}
	cmd.SetOut(os.Stdout) // cobra's Print goes to stderr otherwise
	cmd.PersistentFlags().StringVar(&o.dir, "dir", "", "state directory (default: .lab in the checkout)")
	cmd.AddCommand(
		upCommand(&o), downCommand(&o), statusCommand(&o), logsCommand(&o), nodeExecCommand(&o),
		assetsCommand(&o), recordCommand(&o), profileCommand(&o),
		benchCommand(&o), benchNodeCommand(&o), benchFleetCommand(&o), benchTaintCommand(&o),
		nodeCommand(), heartbeatCommand(&o),
	)
	return cmd
}

// progress prints lines with the time since the command began.
func progress(w io.Writer) func(string, ...any) {
	begin := time.Now()
	return func(format string, args ...any) {
		_, _ = fmt.Fprintf(w, "[%5.1fs] %s\n", time.Since(begin).Seconds(), fmt.Sprintf(format, args...))
	}
}
