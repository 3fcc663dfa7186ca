package main

import (
	"errors"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/report"
	"github.com/hardgate-dev/hardgate/taint/key"
)

const preflightLong = `List the DaemonSets that would not run on a node with hardgate's taints. Look at it
before a NodePolicy enforces anything.

The taints are those that the cluster's NodePolicies would set if they enforced
something, whatever their modes are now: ` + key.Drifted + ` with the effects they
ask for, and ` + key.Unverified + ` where one sets untrustedUntilChecked. Without
a policy it is what one sets by default. Name the taints with --taint where the
controller is configured with other keys.

What a taint does to a DaemonSet that does not tolerate it:

  NoSchedule  pods that run stay; none comes to a new node, and none comes after a
              rollout or an eviction has deleted the old one
  NoExecute   pods that run are evicted, too: at once, or after the tolerationSeconds
              of the first toleration that matches

Kubernetes gives DaemonSets tolerations for its own taints only. Whether a DaemonSet
selects the nodes that will be tainted is not looked at.

Not every DaemonSet has to run on such a node. The control tainted-node-toleration
finds tolerations of these taints outside the namespaces of the system; list further
namespaces in its parameter systemNamespaces.

The rights to list daemonsets and nodepolicies are needed, and no others. Nothing is
written.

Exit status: 0 all tolerate; 1 some do not; 2 bad usage, or the cluster could not be
asked, or it has a NodePolicy that is not understood.`

const preflightExample = `  # the current context of the kubeconfig
  hardgate nodes preflight

  # before a policy asks for NoExecute
  hardgate nodes preflight --taint ` + key.Drifted + `:NoExecute

  # one namespace of another cluster, for a program to read
  hardgate nodes preflight --context production -n monitoring -o json`

type preflightFlags struct {
	cluster   clusterFlags
	taints    []string
	namespace string
	output    string
	lang      string
}

func newPreflight() *cobra.Command {
	var f preflightFlags
	cmd := &cobra.Command{
		Use:     "preflight",
		Short:   "List the DaemonSets that do not tolerate the taints",
		Long:    preflightLong,
		Example: preflightExample,
		Args:    noArguments(": name a namespace with -n"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },

		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&f.taints, "taint", nil, "taint to look for, as `KEY[=VALUE]:EFFECT`, instead of those of the NodePolicies; may be repeated")
	flags.StringVarP(&f.namespace, "namespace", "n", "", "look at this namespace only")
	flags.StringVarP(&f.output, "output", "o", "table", "table, json or yaml")
	flags.StringVar(&f.lang, "lang", string(control.English), "language: en or ko")
	f.cluster.add(cmd)
	complete(cmd, "taint", fixed(key.Drifted+":NoSchedule", key.Drifted+":NoExecute", key.Unverified+":NoSchedule"))
	complete(cmd, "namespace", fixed())
	complete(cmd, "output", fixed(checkOutputs...))
	complete(cmd, "lang", fixed("en", "ko"))
	return cmd
}

func (f *preflightFlags) run(cmd *cobra.Command) error {
	lang, named, err := f.options(cmd)
	if err != nil {
		return err
	}
	c, err := f.cluster.open(cmd)
	if err != nil {
		return err
	}
	e := expectation{taints: named, from: fromFlags}
	if len(named) == 0 {
		if e, err = expect(cmd.Context(), c); err != nil {
			return err
		}
		tell(cmd.ErrOrStderr(), "note", e.notes)
	}
	sets, err := c.daemonSets(cmd.Context(), f.namespace)
	if err != nil {
		return err
	}
	r := newPreflightReport(sets, e, f.namespace)
	switch out := cmd.OutOrStdout(); f.output {
	case "json":
		err = report.JSON(out, r)
	case "yaml":
		err = report.YAML(out, r)
	default:
		err = r.table(out, lang)
	}
	switch {
	case err != nil || len(e.untold) > 0:
		return errors.Join(append(e.untold, err)...)
	case len(r.DaemonSets) > 0:
		return errFails
	}
	return nil
}

// options checks the flags before anything is asked.
func (f *preflightFlags) options(cmd *cobra.Command) (lang control.Lang, named []corev1.Taint, err error) {
	if err := knownOutput(cmd, f.output, checkOutputs); err != nil {
		return "", nil, err
	}
	if lang, err = control.ParseLang(f.lang); err != nil {
		return "", nil, usagef(cmd, "--lang: %w", err)
	}
	if cmd.Flags().Changed("namespace") {
		if err := knownNamespace(cmd, f.namespace); err != nil {
			return "", nil, err
		}
	}
	if named, err = parseTaints(f.taints); err != nil {
		return "", nil, usagef(cmd, "--taint: %w", err)
	}
	return lang, named, f.cluster.check(cmd)
}
