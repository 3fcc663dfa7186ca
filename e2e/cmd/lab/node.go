package main

import (
	"os"
	"os/exec"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hardgate-dev/hardgate/e2e/node"
)

// nodeCommand is what the lab runs: it is of no use by hand.
func nodeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "node FILE", Short: "Be a node of the lab", Hidden: true,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return node.Run(cmd.Context(), args[0]) },
	}
}

func nodeExecCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "node-exec [-- COMMAND...]",
		Short: "Run a command on the lab's node, a shell without one",
		Long: `node-exec runs a command in the namespaces of the lab's node, with nsenter. What it
writes below /etc, /run, /usr and /var, and to the settings of the network, is the
node's alone. Other directories, and the settings of the kernel, are this machine's.`,
		Example: "  lab node-exec\n  lab node-exec -- sed -i 's/^LoginGraceTime.*/LoginGraceTime 300/' /etc/ssh/sshd_config",
		RunE: func(_ *cobra.Command, args []string) error {
			n, err := node.Find(o.dir)
			if err != nil {
				return err
			}
			command := n.Exec(args...)
			path, err := exec.LookPath(command[0])
			if err != nil {
				return err
			}
			return syscall.Exec(path, command, os.Environ())
		},
	}
}
