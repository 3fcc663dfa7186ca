package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hardgate-dev/hardgate/e2e/lab"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

func downCommand(o *options) *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:     "down",
		Short:   "End every process of the lab and remove its state",
		Example: "  lab down\n  lab down --keep   # the next `lab up` finds the same objects",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return lab.Down(cmd.Context(), o.dir, keep, o.log)
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "keep the state directory: keys, objects and logs")
	return cmd
}

func statusCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "List the running programs of the lab",
		Example: "  lab status",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := process.All(o.dir)
			if err != nil {
				return err
			}
			if len(all) == 0 {
				cmd.Println("The lab is down. Start it with: lab up")
				return nil
			}
			cmd.Printf("%-24s %8s %10s %11s  %s\n", "PROGRAM", "PID", "CPU", "MEMORY", "LOG")
			for _, r := range all {
				u, err := r.Usage()
				if err != nil {
					return err
				}
				cmd.Printf("%-24s %8d %10s %7d MiB  %s\n", r.Name, r.PID, u.CPU, u.RSS>>20, process.LogFile(o.dir, r.Name))
			}
			return nil
		},
	}
}

func logsCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "logs PROGRAM",
		Short:   "Print the log of a program of the lab",
		Example: "  lab logs webhook\n  lab logs kubelet",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var f *os.File
			var err error
			for _, dir := range withLogs(o.dir) {
				if f, err = os.Open(process.LogFile(dir, filepath.Base(args[0]))); err == nil {
					break
				}
			}
			if err != nil {
				return fmt.Errorf("printing the log of %s (there is %s): %w", args[0], known(o.dir), err)
			}
			defer func() { _ = f.Close() }()
			_, err = io.Copy(cmd.OutOrStdout(), f)
			return err
		},
	}
}

// withLogs are the state directory and that of the node.
func withLogs(dir string) []string { return []string{dir, filepath.Join(dir, "node")} }

// known names the logs that there are.
func known(dir string) string {
	var names []string
	for _, dir := range withLogs(dir) {
		paths, err := filepath.Glob(process.LogFile(dir, "*"))
		if err != nil {
			continue // of a directory whose name is a pattern
		}
		for _, path := range paths {
			names = append(names, strings.TrimSuffix(filepath.Base(path), ".log"))
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
