package main

import (
	"cmp"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/report"
	"github.com/hardgate-dev/hardgate/rollout"
	"github.com/hardgate-dev/hardgate/webhook/policy"
)

const rolloutLong = `Show how far the rollouts of WorkloadPolicies have come: for each namespace and control
its mode, what would be refused, since when it is clean, and what comes next or is in the way.

A rollout leads a control from its policy's own mode to the target, a step at a time, where
nothing would have been refused for the clean window: neither at admission nor in the audits.

Exit status: 0 printed or changed; 2 bad usage, or the cluster does not answer.`

const rolloutExample = `  # all cells of all rollouts, what is blocked first
  hardgate rollout

  # what keeps one namespace from being enforced
  hardgate rollout --namespace shop --blocked

  # stop all steps of a policy, and go on
  hardgate rollout pause baseline
  hardgate rollout resume baseline

  # back to warnings at most, at once, and let go again
  hardgate rollout demote baseline --namespace shop --control host-path --to Warn
  hardgate rollout unpin baseline --namespace shop --control host-path

  # hold what has no namespace, such as ClusterRoles
  hardgate rollout pin baseline --namespace cluster.scoped --mode Warn

  # leave namespaces out of it, and take them in again
  hardgate rollout exclude legacy sandbox
  hardgate rollout include legacy --policy baseline`

type rolloutFlags struct {
	cluster    clusterFlags
	output     string
	namespaces []string
	controls   []string
	blocked    bool
}

func newRollout() *cobra.Command {
	var f rolloutFlags
	cmd := &cobra.Command{
		Use:     "rollout [POLICY...]",
		Short:   "Show and steer the rollouts of WorkloadPolicies",
		Long:    rolloutLong,
		Example: rolloutExample,
		RunE:    f.run,

		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&f.output, "output", "o", "table", "table, json or yaml")
	flags.StringSliceVarP(&f.namespaces, "namespace", "n", nil, "only these namespaces")
	flags.StringSliceVar(&f.controls, "control", nil, "only these controls")
	flags.BoolVar(&f.blocked, "blocked", false, "only what something is in the way of")
	f.cluster.add(cmd)
	complete(cmd, "output", fixed(checkOutputs...))
	complete(cmd, "namespace", fixed())
	complete(cmd, "control", judgedIDs)
	cmd.AddCommand(newSteer("pause"), newSteer("resume"), newSteer("pin"), newSteer("unpin"), newSteer("demote"), newExclusion("exclude"), newExclusion("include"))
	return cmd
}

// policyCells are the cells of one policy, as they are printed.
type policyCells struct {
	Policy string        `json:"policy"`
	Target v1alpha1.Mode `json:"target"`
	Paused bool          `json:"paused,omitempty"`
	// Open says where the policy enforces something that fails open, and why.
	Open  string                 `json:"open,omitempty"`
	Cells []v1alpha1.RolloutCell `json:"cells"`
}

func (f *rolloutFlags) run(cmd *cobra.Command, names []string) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	client, err := f.cluster.open(cmd)
	if err != nil {
		return err
	}
	in, err := client.rollouts(cmd.Context())
	if err != nil {
		return err
	}
	all := f.choose(in.Policies, rollout.Plan(*in, in.Audit.Finished), names)
	for _, name := range names {
		if !slices.ContainsFunc(all, func(p policyCells) bool { return p.Policy == name }) {
			return fmt.Errorf("no WorkloadPolicy %q has a rollout: see with: kubectl get workloadpolicies", name)
		}
	}
	for _, p := range all {
		if p.Open != "" {
			tell(cmd.ErrOrStderr(), "warning", []string{p.Policy + ": " + report.Printable(p.Open)})
		}
	}
	if in.Frozen != "" {
		tell(cmd.ErrOrStderr(), "warning", []string{"nothing is promoted: " + in.Frozen})
	}
	switch f.output {
	case "json":
		return report.JSON(cmd.OutOrStdout(), map[string]any{"rollouts": all})
	case "yaml":
		return report.YAML(cmd.OutOrStdout(), map[string]any{"rollouts": all})
	}
	return f.table(cmd, all)
}

// check checks the flags before anything is asked.
func (f *rolloutFlags) check(cmd *cobra.Command) error {
	if err := knownOutput(cmd, f.output, checkOutputs); err != nil {
		return err
	}
	if err := knownCells(cmd, f.namespaces, f.controls); err != nil {
		return err
	}
	return cmp.Or(given(cmd, "namespace", "namespace", f.namespaces), f.cluster.check(cmd))
}

// knownCells checks --namespace and --control where they name cells of rollouts: those of
// objects without a namespace as they are printed.
func knownCells(cmd *cobra.Command, namespaces, controls []string) error {
	for _, ns := range namespaces {
		if ns == v1alpha1.ClusterScopedReportName {
			continue
		}
		if err := knownNamespace(cmd, ns); err != nil {
			return err
		}
	}
	for _, id := range controls {
		if _, ok := policy.Get(control.ID(id)); !ok {
			return usagef(cmd, "--control: %s", unjudged(id))
		}
	}
	return given(cmd, "control", "control", controls)
}

// knownPolicy refuses what cannot be the name of a policy: "p/status" is a way of the API, on
// which nothing would be changed and no error said.
func knownPolicy(cmd *cobra.Command, flag, name string) error {
	if len(validation.IsDNS1123Subdomain(name)) == 0 {
		return nil
	}
	return usagef(cmd, "%s%q is no name of a WorkloadPolicy: see with: kubectl get workloadpolicies", flag, name)
}

// choose keeps the cells that are asked for.
func (f *rolloutFlags) choose(policies []v1alpha1.WorkloadPolicy, out rollout.Out, names []string) []policyCells {
	all := []policyCells{}
	for i := range policies {
		p := &policies[i]
		if p.Spec.Rollout == nil || len(names) > 0 && !slices.Contains(names, p.Name) {
			continue
		}
		cells := slices.DeleteFunc(slices.Clone(out.Cells[p.Name]), func(c v1alpha1.RolloutCell) bool {
			return len(f.namespaces) > 0 && !slices.Contains(f.namespaces, rollout.Place(c.Namespace)) ||
				len(f.controls) > 0 && !slices.Contains(f.controls, c.Control) || f.blocked && c.Violations == 0
		})
		all = append(all, policyCells{
			Policy: p.Name, Target: cmp.Or(p.Spec.Rollout.Target, "Enforce"), Paused: p.Spec.Rollout.Paused, Open: open(p), Cells: append([]v1alpha1.RolloutCell{}, cells...),
		})
	}
	return all
}

// open is what a policy says of what it enforces and fails open; empty where it says nothing.
func open(p *v1alpha1.WorkloadPolicy) string {
	if c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionFailsClosed); c != nil && c.Status == metav1.ConditionFalse {
		return c.Message
	}
	return ""
}

func (f *rolloutFlags) table(cmd *cobra.Command, all []policyCells) error {
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "POLICY\tNAMESPACE\tCONTROL\tMODE\tVIOLATIONS\tCLEAN SINCE\tNEXT")
	n := 0
	for _, p := range all {
		for _, c := range p.Cells {
			since := "-"
			if c.CleanSince != nil {
				since = c.CleanSince.UTC().Format(time.RFC3339)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", report.Printable(p.Policy), rollout.Place(c.Namespace), c.Control, c.Mode, c.Violations, since, report.Printable(c.Next))
			n++
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if n == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "hardgate: no cell: a WorkloadPolicy has a rollout when it has spec.rollout, and a cell for each control that is not Off in each namespace that it selects")
	}
	return nil
}
