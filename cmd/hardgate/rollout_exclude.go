package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

const excludeLong = `Leave namespaces out of a rollout, in spec.rollout.exclude of its policy. They take no step:
from now on they have the mode that the policy itself says, whatever they have reached. To
hold them where they are, pin them instead: what is pinned stays so, and is told.

A namespace may not exist yet; that is warned of, since it may be a slip. Objects that have
no namespace, such as ClusterRoles, are those of cluster.scoped.

Exit status: 0 changed, or so already; 2 bad usage, or the cluster does not answer.`

const includeLong = `Let namespaces take part in a rollout that leaves them out: they are removed from
spec.rollout.exclude of its policy, and go on from its own mode with a new clean window.

What the policy excludes by controls, or in all namespaces, stays and is told.

Exit status: 0 changed, or so already; 2 bad usage, or the cluster does not answer.`

type exclusionFlags struct {
	cluster  clusterFlags
	policy   string
	controls []string
	dryRun   bool
}

func newExclusion(verb string) *cobra.Command {
	var f exclusionFlags
	cmd := &cobra.Command{
		Use: verb + " NAMESPACE...",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef(cmd, "name the namespaces")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, verb, args) },

		ValidArgsFunction: cobra.NoFileCompletions,
	}
	if cmd.Short, cmd.Long = "Leave namespaces out of a rollout", excludeLong; verb == "include" {
		cmd.Short, cmd.Long = "Let namespaces take part in a rollout again", includeLong
	}
	cmd.Example = fmt.Sprintf("  # of the only policy with a rollout\n  hardgate rollout %[1]s legacy sandbox\n\n"+
		"  # of one policy, for two controls only; nothing is stored\n  hardgate rollout %[1]s legacy --policy baseline --control host-path,host-ports --dry-run", verb)
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.policy, "policy", "", "the WorkloadPolicy; not needed where only one has a rollout")
	flags.StringSliceVar(&f.controls, "control", nil, "these controls; all without it")
	flags.BoolVar(&f.dryRun, "dry-run", false, "let the API server judge the change, and store nothing")
	f.cluster.add(cmd)
	complete(cmd, "policy", fixed())
	complete(cmd, "control", judgedIDs)
	return cmd
}

func (f *exclusionFlags) run(cmd *cobra.Command, verb string, namespaces []string) error {
	if err := f.check(cmd, namespaces); err != nil {
		return err
	}
	slices.Sort(namespaces)
	namespaces = slices.Compact(namespaces)
	client, err := f.cluster.open(cmd)
	if err != nil {
		return err
	}
	name := f.policy
	if name == "" {
		if name, err = client.onlyRollout(cmd.Context()); err != nil {
			return err
		}
	}
	if verb == "exclude" {
		tell(cmd.ErrOrStderr(), "warning", client.unknown(cmd.Context(), namespaces))
	}
	done, err := client.rewrite(cmd.Context(), verb, name, f.dryRun, func(r *v1alpha1.Rollout) (string, map[string]any) {
		lines, changed := f.change(r, verb, name, namespaces)
		if !changed {
			return strings.Join(lines, "\n"), nil
		}
		return strings.Join(lines, "\n"), map[string]any{"exclude": r.Exclude}
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), done)
	return nil
}

// check checks what is given before anything is asked.
func (f *exclusionFlags) check(cmd *cobra.Command, namespaces []string) error {
	for _, ns := range namespaces {
		if ns != v1alpha1.ClusterScopedReportName && len(validation.IsDNS1123Label(ns)) > 0 {
			return usagef(cmd, "%q is no name of a namespace: use a-z, 0-9 and '-', 63 at most, with no '-' at either end", ns)
		}
	}
	if cmd.Flags().Changed("policy") && f.policy == "" {
		return usagef(cmd, "--policy: no policy is named")
	}
	if f.policy != "" {
		if err := knownPolicy(cmd, "--policy: ", f.policy); err != nil {
			return err
		}
	}
	if err := knownCells(cmd, nil, f.controls); err != nil {
		return err
	}
	return f.cluster.check(cmd)
}

// change changes what is excluded and says what has become of the namespaces.
func (f *exclusionFlags) change(r *v1alpha1.Rollout, verb, name string, namespaces []string) (lines []string, changed bool) {
	var did, already, left []string
	for _, ns := range namespaces {
		change := f.exclude
		if verb == "include" {
			change = f.include
		}
		if change(r, ns) {
			did = append(did, ns)
		} else {
			already = append(already, ns)
		}
	}
	for _, ns := range namespaces {
		if verb == "include" { // only now the entries have their numbers
			left = append(left, f.left(r, ns)...)
		} else {
			left = append(left, f.held(r, ns)...)
		}
	}
	say := func(list []string, what string) {
		if len(list) > 0 {
			lines = append(lines, fmt.Sprintf("%s: %s in %s %s", name, f.which(), strings.Join(list, ", "), what))
		}
	}
	switch verb {
	case "exclude":
		say(did, "excluded")
		say(already, "excluded already")
	case "include":
		say(did, "included")
		say(already, "left as it was: not excluded by name")
	}
	for _, l := range left {
		lines = append(lines, name+": "+l)
	}
	return lines, len(did) > 0
}

func (f *exclusionFlags) which() string {
	if len(f.controls) > 0 {
		return strings.Join(f.controls, ", ")
	}
	return "all controls"
}

// exclude excludes a namespace, and is whether it was not yet.
func (f *exclusionFlags) exclude(r *v1alpha1.Rollout, ns string) bool {
	whole := func(e v1alpha1.RolloutCells) bool {
		return len(e.Controls) == 0 && (len(e.Namespaces) == 0 || slices.Contains(e.Namespaces, ns))
	}
	excluded := func(id string) bool {
		return slices.ContainsFunc(r.Exclude, func(e v1alpha1.RolloutCells) bool { return ruling.Selects(&e, ns, control.ID(id)) })
	}
	missing := func(id string) bool { return !excluded(id) }
	if slices.ContainsFunc(r.Exclude, whole) || len(f.controls) > 0 && !slices.ContainsFunc(f.controls, missing) {
		return false
	}
	add(r, ns, f.controls)
	return true
}

// add adds a namespace to the entry with these controls, which names namespaces, or makes
// one.
func add(r *v1alpha1.Rollout, ns string, controls []string) {
	i := slices.IndexFunc(r.Exclude, func(e v1alpha1.RolloutCells) bool {
		return len(e.Namespaces) > 0 && slices.Equal(e.Controls, controls)
	})
	if i < 0 {
		r.Exclude = append(r.Exclude, v1alpha1.RolloutCells{Namespaces: []string{ns}, Controls: controls})
		return
	}
	r.Exclude[i].Namespaces = append(r.Exclude[i].Namespaces, ns)
}

// include removes a namespace from what names it, and is whether anything did. An entry
// that names no namespace any more goes: it would mean all of them.
func (f *exclusionFlags) include(r *v1alpha1.Rollout, ns string) (did bool) {
	var kept []v1alpha1.RolloutCells
	var rest [][]string // controls that stay excluded there
	for _, e := range r.Exclude {
		if stays, hit := f.without(e.Controls); hit && slices.Contains(e.Namespaces, ns) {
			did = true
			e.Namespaces = slices.DeleteFunc(slices.Clone(e.Namespaces), func(n string) bool { return n == ns })
			if len(stays) > 0 {
				rest = append(rest, stays)
			}
			if len(e.Namespaces) == 0 {
				continue
			}
		}
		kept = append(kept, e)
	}
	r.Exclude = kept
	for _, controls := range rest {
		add(r, ns, controls)
	}
	return did
}

// without are the controls of an entry that stay in it, and whether others do not. All
// controls but some cannot be said in one.
func (f *exclusionFlags) without(controls []string) (stay []string, hit bool) {
	if len(f.controls) == 0 {
		return nil, true
	}
	stay = slices.DeleteFunc(slices.Clone(controls), func(id string) bool { return slices.Contains(f.controls, id) })
	return stay, len(stay) < len(controls)
}

// left says what else excludes a namespace, and stays.
func (f *exclusionFlags) left(r *v1alpha1.Rollout, ns string) (lines []string) {
	for i, e := range r.Exclude {
		about := len(f.controls) == 0 || len(e.Controls) == 0 ||
			slices.ContainsFunc(f.controls, func(id string) bool { return slices.Contains(e.Controls, id) })
		if !about || len(e.Namespaces) > 0 && !slices.Contains(e.Namespaces, ns) {
			continue
		}
		why := "names no namespace and means all"
		if len(e.Namespaces) > 0 {
			why = "names no control and means all"
		}
		lines = append(lines, fmt.Sprintf("%s is still excluded by spec.rollout.exclude[%d], which %s: change it with kubectl edit workloadpolicy", ns, i, why))
	}
	return lines
}

// held says which pins hold a namespace, excluded or not.
func (f *exclusionFlags) held(r *v1alpha1.Rollout, ns string) (lines []string) {
	for i, p := range r.Pins {
		about := len(f.controls) == 0 || slices.ContainsFunc(f.controls, func(id string) bool { return ruling.Selects(&p.RolloutCells, ns, control.ID(id)) })
		if about && (len(p.Namespaces) == 0 || slices.Contains(p.Namespaces, ns)) {
			lines = append(lines, fmt.Sprintf("%s is still held at %s by spec.rollout.pins[%d]: let it go with hardgate rollout unpin", ns, words(p), i))
		}
	}
	return lines
}

// onlyRollout is the name of the only policy that has a rollout.
func (c *clusterClient) onlyRollout(ctx context.Context) (string, error) {
	policies, err := list(ctx, c, "/apis/"+v1alpha1.GroupVersion.String()+"/workloadpolicies", "WorkloadPolicy", ruling.Read)
	if err != nil {
		return "", err
	}
	var names []string
	for _, p := range policies {
		if p.Spec.Rollout != nil {
			names = append(names, p.Name)
		}
	}
	switch len(names) {
	case 0:
		return "", errors.New("no WorkloadPolicy has a rollout: give one spec.rollout")
	case 1:
		return names[0], nil
	}
	return "", fmt.Errorf("several WorkloadPolicies have a rollout: name one with --policy, of %s", strings.Join(names, ", "))
}

// unknown warns of namespaces that do not exist.
func (c *clusterClient) unknown(ctx context.Context, namespaces []string) (warnings []string) {
	ctx = logr.NewContext(ctx, logr.Discard())
	for _, ns := range namespaces {
		if ns == v1alpha1.ClusterScopedReportName {
			continue
		}
		switch err := c.api.Get().AbsPath("/api/v1/namespaces", ns).Do(ctx).Error(); {
		case apierrors.IsNotFound(err):
			warnings = append(warnings, fmt.Sprintf("there is no namespace %q: it is excluded when it is made", ns))
		case err != nil:
			warnings = append(warnings, fmt.Sprintf("whether there is a namespace %q is not known: %v", ns, err))
		}
	}
	return warnings
}
