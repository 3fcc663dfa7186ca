package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/hardgate-dev/hardgate/control"
)

// usagef is an error in how a command was called.
func usagef(cmd *cobra.Command, format string, args ...any) error {
	return fmt.Errorf("%w (see %q)", fmt.Errorf(format, args...), cmd.CommandPath()+" --help")
}

// flagError adds the nearest flag to the error about one that does not exist.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || len(unknown.GetSpecifiedName()) < 2 {
		return usagef(cmd, "%w", err)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return usagef(cmd, "%w%s", err, control.Hint("--"+unknown.GetSpecifiedName(), names))
}

// unknownCommand is the error about a command that cmd does not have.
func unknownCommand(cmd *cobra.Command, name string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return usagef(cmd, "unknown command %q%s", name, control.Hint(name, names))
}

// noArguments refuses arguments; what says how to give them.
func noArguments(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usagef(cmd, "unexpected argument %q%s", args[0], what)
		}
		return nil
	}
}

// knownOutput refuses a value of --output that is none of those known.
func knownOutput(cmd *cobra.Command, value string, known []string) error {
	if slices.Contains(known, value) {
		return nil
	}
	return usagef(cmd, "--output: unknown value %q%s", value, control.Hint(value, known))
}

// knownNamespace refuses what cannot be the name of a namespace.
func knownNamespace(cmd *cobra.Command, name string) error {
	if len(validation.IsDNS1123Label(name)) == 0 {
		return nil
	}
	return usagef(cmd, "--namespace: %q is no name of a namespace: use a-z, 0-9 and '-', 63 at most, with no '-' at either end", name)
}

// complete registers what the shell may complete a flag with. The flag exists, so
// there is no error to handle.
func complete(cmd *cobra.Command, flag string, values func() []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
}

func fixed(values ...string) func() []string { return func() []string { return values } }

// given refuses a flag without a value, as "$NS" is where the variable is not set: empty
// would mean all.
func given(cmd *cobra.Command, flag, what string, values []string) error {
	if cmd.Flags().Changed(flag) && len(values) == 0 {
		return usagef(cmd, "--%s: no %s is named", flag, what)
	}
	return nil
}
