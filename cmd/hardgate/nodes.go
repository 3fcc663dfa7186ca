package main

import "github.com/spf13/cobra"

// newNodes is about all nodes of a cluster, where newNode is about the machine that it
// runs on.
func newNodes() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "nodes",
		Short: "Ask a cluster about its nodes",
		Args:  cobra.ArbitraryArgs, // an unknown command is told in our words
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(newPreflight())
	return cmd
}
