package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// asPlugin makes the help speak of the command as its user types it: kubectl runs
// kubectl-hardgate for "kubectl hardgate".
func asPlugin(root *cobra.Command) {
	name := "kubectl " + root.Name()
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: name}
	rename(root, root.Name()+" ", name+" ")
}

// rename replaces the program's name in the examples of a command and of those below.
func rename(cmd *cobra.Command, old, name string) {
	cmd.Example = strings.ReplaceAll(cmd.Example, old, name)
	for _, c := range cmd.Commands() {
		rename(c, old, name)
	}
}

// newHelp is cobra's help command, for which a command that does not exist is an
// error.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about any command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			switch {
			case err != nil:
				return usagef(cmd.Root(), "%w", err)
			case len(rest) > 0 && about.HasSubCommands():
				return unknownCommand(about, rest[0])
			case len(rest) > 0:
				return noArguments("")(about, rest)
			}
			about.InitDefaultHelpFlag() // or the help would not show it
			return about.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []cobra.Completion
			if about, rest, err := cmd.Root().Find(args); err == nil && len(rest) == 0 {
				for _, c := range about.Commands() {
					if c.IsAvailableCommand() && strings.HasPrefix(c.Name(), typed) {
						names = append(names, cobra.CompletionWithDesc(c.Name(), c.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// withCompletion adds cobra's completion command, for which a shell that it does
// not know is an error. The output has been set by now: its scripts go there.
func withCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	completion, _, err := root.Find([]string{"completion"})
	if err != nil { // it is there
		return
	}
	completion.Args = cobra.ArbitraryArgs // an unknown shell is told in our words
	completion.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(cmd, args[0])
		}
		return cmd.Help()
	}
}
