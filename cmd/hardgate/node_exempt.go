package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/taint/ruling"
)

// exempting reads the Exemptions that apply to the node at this moment, by control. Whom
// they exempt goes by a node's name and labels in the cluster: the host's name is what
// stands for the one, and nothing on a host says the others.
func (f *nodeFlags) exempting(cmd *cobra.Command, name string, has labels.Set, now time.Time) (map[control.ID]*v1alpha1.Exemption, error) {
	by := map[control.ID]*v1alpha1.Exemption{}
	if len(f.exemptions) == 0 {
		return by, nil
	}
	all, warnings, err := readExemptions(f.exemptions, cmd.InOrStdin(), now)
	if err != nil {
		return nil, err
	}
	tell(cmd.ErrOrStderr(), "warning", warnings)
	var untold []string
	for i := range all {
		e := &all[i]
		compiled, errs := ruling.CompileExemptions(all[i : i+1])
		if len(errs) > 0 {
			return nil, errs[0]
		}
		if len(compiled) == 0 {
			continue // of objects alone
		}
		c := &compiled[0]
		n := e.Spec.Nodes
		byLabels := n.Selector != nil && len(n.Selector.MatchLabels)+len(n.Selector.MatchExpressions) > 0
		if byLabels && !cmd.Flags().Changed("node-label") && !slices.Contains(n.Names, name) {
			if now.Before(c.Expires) {
				untold = append(untold, fmt.Sprintf("Exemption %s selects nodes by labels, which no file of a node says: give them with --node-label, or nothing is exempt by it", e.Name))
			}
			continue
		}
		for _, id := range c.Controls {
			if _, already := by[id]; !already && c.Applies(id, name, has, now) {
				by[id] = e
			}
		}
	}
	tell(cmd.ErrOrStderr(), "note", untold)
	return by, nil
}

// labels are those of --node-label, which is for Exemptions alone.
func (f *nodeFlags) labels(cmd *cobra.Command) (labels.Set, error) {
	if len(f.exemptions) == 0 && (cmd.Flags().Changed("node-name") || cmd.Flags().Changed("node-label")) {
		return nil, usagef(cmd, "--node-name and --node-label are for --exemption: name a file with it")
	}
	if cmd.Flags().Changed("node-name") && f.nodeName == "" { // as where a variable is not set
		return nil, usagef(cmd, "--node-name: no node is named")
	}
	if err := given(cmd, "node-label", "label", f.labeled); err != nil {
		return nil, err
	}
	set := labels.Set{}
	for _, l := range f.labeled {
		key, value, found := strings.Cut(l, "=")
		if !found || key == "" {
			return nil, usagef(cmd, "--node-label: %q is no label: use KEY=VALUE", l)
		}
		if before, twice := set[key]; twice && before != value {
			return nil, usagef(cmd, "--node-label: %s is given twice", key)
		}
		set[key] = value
	}
	return set, nil
}

// reasons are those of --exempt, which is said right here, and of Exemptions.
func reasons(said map[control.ID]string, by map[control.ID]*v1alpha1.Exemption) map[control.ID]string {
	all := make(map[control.ID]string, len(said)+len(by))
	for id, e := range by {
		all[id] = e.Spec.Reason + " (Exemption " + e.Name + ")"
	}
	maps.Copy(all, said)
	return all
}
