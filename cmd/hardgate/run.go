package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hardgate-dev/hardgate/report"
	"github.com/hardgate-dev/hardgate/version"
)

// The exit codes.
const (
	exitOK    = 0 // nothing fails
	exitFails = 1 // something fails
	exitBad   = 2 // bad input or usage, something could not be told, or the output could not be written
)

// errFails ends a command whose output shows that something fails.
var errFails = errors.New("something fails")

// run runs the command line, the program's name first, and returns its exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(append([]string{}, args[1:]...)) // nil would mean os.Args
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if strings.HasPrefix(filepath.Base(args[0]), "kubectl-") {
		asPlugin(root)
	}
	withCompletion(root)
	err := root.Execute()
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFails):
		return exitFails
	}
	for _, e := range flatten(err) {
		fmt.Fprintf(stderr, "hardgate: %s\n", report.Printable(e.Error()))
	}
	return exitBad
}

// flatten takes joined errors apart.
func flatten(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok { // only the outermost is taken apart
		return joined.Unwrap()
	}
	return []error{err}
}

// newRoot is the whole command line.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "hardgate",
		Short: "Judge Kubernetes manifests, nodes and clusters against the CIS benchmarks",
		Example: `  hardgate check -f deploy/
  sudo hardgate node
  hardgate audit
  hardgate controls --lang ko`,
		Args:          cobra.ArbitraryArgs, // an unknown command is told in our words
		Version:       version.Line(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(newHelp())
	root.AddCommand(newCheck(), newNode(), newAudit(), newNodes(), newReport(), newRollout(), newControls(), newVersion())
	return root
}
