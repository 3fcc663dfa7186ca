package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// steering says what each way to steer a rollout is.
var steering = map[string]struct {
	short, mode, modeHelp string
	modes                 []string
}{
	"pause":  {short: "Stop all steps of a rollout; what has been reached stays"},
	"resume": {short: "Let a rollout go on"},
	"pin":    {"Hold cells at a mode, at once", "mode", "`mode` to hold the cells at: Off, Audit, Warn or Enforce", []string{"Off", "Audit", "Warn", "Enforce"}},
	"unpin":  {short: "Let cells go; they go on from where they were held, with a new clean window"},
	"demote": {"Take cells back to a milder mode, at once, and keep them from a stricter one", "to", "`mode` that the cells may have at most: Warn or Audit", []string{"Warn", "Audit"}},
}

type steerFlags struct {
	cluster    clusterFlags
	namespaces []string
	controls   []string
	mode       string
	dryRun     bool
}

func newSteer(verb string) *cobra.Command {
	var f steerFlags
	s := steering[verb]
	cells := verb != "pause" && verb != "resume"
	cmd := &cobra.Command{
		Use: verb + " POLICY", Short: s.short,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef(cmd, "name one WorkloadPolicy")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, verb, args[0]) },

		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	if cells {
		flags.StringSliceVarP(&f.namespaces, "namespace", "n", nil, "these namespaces; all without it")
		flags.StringSliceVar(&f.controls, "control", nil, "these controls; all without it")
		complete(cmd, "namespace", fixed())
		complete(cmd, "control", judgedIDs)
	}
	if s.mode != "" {
		flags.StringVar(&f.mode, s.mode, map[string]string{"demote": "Warn"}[verb], s.modeHelp)
		complete(cmd, s.mode, fixed(s.modes...))
	}
	flags.BoolVar(&f.dryRun, "dry-run", false, "let the API server judge the change, and store nothing")
	f.cluster.add(cmd)
	return cmd
}

func (f *steerFlags) run(cmd *cobra.Command, verb, name string) error {
	if err := cmp.Or(knownPolicy(cmd, "", name), f.check(cmd, verb)); err != nil {
		return err
	}
	client, err := f.cluster.open(cmd)
	if err != nil {
		return err
	}
	done, err := client.rewrite(cmd.Context(), verb, name, f.dryRun, func(r *v1alpha1.Rollout) (string, map[string]any) {
		done, changed := f.change(r, verb, name)
		if !changed {
			return done, nil
		}
		return done, map[string]any{"paused": r.Paused, "pins": r.Pins}
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), done)
	return nil
}

// check checks the flags before anything is asked.
func (f *steerFlags) check(cmd *cobra.Command, verb string) error {
	if verb == "pin" || verb == "unpin" || verb == "demote" {
		if err := cmp.Or(given(cmd, "namespace", "namespace", f.namespaces), knownCells(cmd, f.namespaces, f.controls)); err != nil {
			return err
		}
		if len(f.namespaces) == 0 && len(f.controls) == 0 {
			return usagef(cmd, "name the cells with --namespace, --control, or both; to hold all of them, pause the rollout")
		}
	}
	if verb == "demote" && f.mode != "Warn" && f.mode != "Audit" {
		return usagef(cmd, "--to: %q is no milder mode: use Warn or Audit", f.mode)
	}
	if verb == "pin" {
		if _, err := control.ParseMode(f.mode); err != nil {
			return usagef(cmd, "--mode: %w", err)
		}
	}
	return f.cluster.check(cmd)
}

// change changes the rollout and says what it did, and whether it did anything.
func (f *steerFlags) change(r *v1alpha1.Rollout, verb, name string) (done string, changed bool) {
	cells := v1alpha1.RolloutCells{Namespaces: inOrder(f.namespaces), Controls: inOrder(f.controls)}
	same := func(p v1alpha1.RolloutPin) bool {
		return slices.Equal(inOrder(p.Namespaces), cells.Namespaces) && slices.Equal(inOrder(p.Controls), cells.Controls)
	}
	switch verb {
	case "pause", "resume":
		pause := verb == "pause"
		if r.Paused == pause {
			return name + " is " + verb + "d already", false
		}
		r.Paused = pause
		return name + " " + verb + "d", true
	case "unpin":
		if !slices.ContainsFunc(r.Pins, same) {
			return fmt.Sprintf("%s has no pin of %s: see with: kubectl get workloadpolicy %s -o jsonpath={.spec.rollout.pins}", name, f.which(), name), false
		}
		r.Pins = slices.DeleteFunc(r.Pins, same)
		return fmt.Sprintf("%s: %s let go", name, f.which()), true
	}
	pin := v1alpha1.RolloutPin{RolloutCells: cells, Mode: v1alpha1.Mode(f.mode), AtMost: verb == "demote"}
	if !pin.AtMost {
		r.Pins = append(slices.DeleteFunc(r.Pins, same), pin)
		return fmt.Sprintf("%s: %s held at %s", name, f.which(), f.mode), true
	}
	if n := len(r.Pins); n > 0 && same(r.Pins[n-1]) {
		if last := r.Pins[n-1]; last.Mode == pin.Mode || !above(last.Mode, pin.Mode) {
			return fmt.Sprintf("%s: %s held at %s already", name, f.which(), words(last)), false
		}
	}
	// Other pins of the same cells stay: without them, the cells could be stricter, or milder
	// than is asked for, such as Off.
	r.Pins = append(slices.DeleteFunc(r.Pins, func(p v1alpha1.RolloutPin) bool { return same(p) && p.AtMost && above(p.Mode, pin.Mode) }), pin)
	return fmt.Sprintf("%s: %s held at %s", name, f.which(), words(pin)), true
}

// words are what a pin holds cells at.
func words(p v1alpha1.RolloutPin) string {
	if p.AtMost {
		return string(p.Mode) + " at most"
	}
	return string(p.Mode)
}

// above is whether a mode is as strict as another, or stricter.
func above(one, other v1alpha1.Mode) bool {
	a, err := control.ParseMode(string(one))
	if err != nil {
		return true // it holds nothing
	}
	b, err := control.ParseMode(string(other))
	return err == nil && a >= b
}

// inOrder is a list in which each comes once, in order.
func inOrder(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

// which names the cells.
func (f *steerFlags) which() string {
	controls, namespaces := "all controls", "all namespaces"
	if len(f.controls) > 0 {
		controls = strings.Join(f.controls, ", ")
	}
	if len(f.namespaces) > 0 {
		namespaces = strings.Join(f.namespaces, ", ")
	}
	return controls + " in " + namespaces
}
