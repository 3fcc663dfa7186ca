package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/check"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/report"
)

const nodeLong = `Judge this machine, or a copied file tree, as a node: host hardening and kubelet.

Nothing is executed and nothing is written: files below --root are read, /proc and
/sys among them. What is in force and what is written down are judged apart, so
that a failure says whether the node has drifted now or will drift at its next
reboot.

Every control is judged by the rules of the source documents. With --benchmark only
the controls with a number there are judged, by the rules of that edition: passwords
may be 365 days old, say, or modules must be on the deny list too. Where several
differ, the stricter rule counts.

A failure that an Exemption of --exemption covers is Exempt, as in tainting, until the
second in which that ends. Its spec.nodes is about the node's name and labels in the
cluster: name them with --node-name and --node-label where they are others than the
host says.

Without root some files cannot be read. Their controls are Unknown and say which.

Exit status: 0 nothing fails; 1 something fails; 2 bad usage, or nothing fails but
something could not be told.`

const nodeExample = `  # this machine; as root, so that everything can be read
  sudo hardgate node

  # a tree that was copied from a machine, or an image being built
  hardgate node --root ./rootfs --all

  # by the numbers and rules of other editions, for a program to read
  hardgate node --benchmark 1.12 --benchmark ubuntu-22.04 -o json

  # what one control means, where it looks and what it finds here
  hardgate node --explain ssh-login-grace-time --lang ko

  # a failure that the site accepts, with the reason
  hardgate node --exempt kubelet-hostname-override="the cloud provider sets it"

  # what the cluster's Exemptions cover of this node
  hardgate node --exemption exemptions.yaml --node-label pool=old`

type nodeFlags struct {
	root       string
	output     string
	lang       string
	explain    string
	benchmarks []string
	controls   []string
	modules    []string
	exempt     []string
	exemptions []string
	nodeName   string
	labeled    []string
	all        bool
}

func newNode() *cobra.Command {
	var f nodeFlags
	cmd := &cobra.Command{
		Use:     "node",
		Short:   "Judge this machine as a node",
		Long:    nodeLong,
		Example: nodeExample,
		Args:    noArguments(": name a directory with --root"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd, time.Now()) },

		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.root, "root", "/", "directory that is the root of the node")
	flags.StringArrayVar(&f.benchmarks, "benchmark", nil, "judge the controls of this benchmark by its rules, such as 1.12, aks-host or ubuntu-22.04; may be repeated")
	flags.StringSliceVar(&f.controls, "control", nil, "judge by these controls only")
	flags.StringSliceVar(&f.modules, "module", nil, "kernel module that the site holds unnecessary, for "+string(forModules)+"; may be repeated")
	flags.StringArrayVar(&f.exempt, "exempt", nil, "control that may fail here, and why, as `ID=REASON`; may be repeated")
	flags.StringArrayVar(&f.exemptions, "exemption", nil, exemptionHelp)
	flags.StringVar(&f.nodeName, "node-name", "", "name of the node in the cluster, for Exemptions; otherwise the host's")
	flags.StringSliceVar(&f.labeled, "node-label", nil, "label of the node in the cluster, for Exemptions, as `KEY=VALUE`; may be repeated")
	flags.StringVar(&f.explain, "explain", "", "say what one control means, where it looks and what it finds")
	flags.BoolVar(&f.all, "all", false, "show every result with its evidence in the table, not failures only")
	flags.StringVarP(&f.output, "output", "o", "table", "table, json or yaml")
	flags.StringVar(&f.lang, "lang", string(control.English), "language of titles and remedies: en or ko")
	complete(cmd, "output", fixed(checkOutputs...))
	complete(cmd, "lang", fixed("en", "ko"))
	complete(cmd, "benchmark", nodeBenchmarks)
	complete(cmd, "control", nodeIDs)
	complete(cmd, "explain", nodeIDs)
	_ = cmd.RegisterFlagCompletionFunc("exempt", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return exemptible(), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
	complete(cmd, "module", fixed())
	complete(cmd, "node-name", fixed())
	complete(cmd, "node-label", fixed())
	_ = cmd.MarkFlagDirname("root") // the flag exists
	return cmd
}

// forModules is the control that --module is for.
const forModules control.ID = "mod-unnecessary"

// nodeOptions are the flags, checked.
type nodeOptions struct {
	checks     []*check.Check
	rules      *check.Rules
	lang       control.Lang
	benchmarks []string   // full ids
	labels     labels.Set // of the node
}

func (f *nodeFlags) run(cmd *cobra.Command, now time.Time) error {
	o, err := f.options(cmd)
	if err != nil {
		return err
	}
	root, err := host.Open(f.root)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // a directory that was only read from
	h := host.New(root)
	by, err := f.exempting(cmd, cmp.Or(f.nodeName, nodeName(h)), o.labels, now)
	if err != nil {
		return err
	}
	said := o.rules.Exempt
	o.rules.Exempt = reasons(said, by)
	verdicts := check.Run(h, o.checks, o.rules)
	r := nodeReport(h, f.root, verdicts, o.lang)
	for i := range r.Results {
		id := r.Results[i].Control
		if _, here := said[id]; !here && r.Results[i].Status == control.Exempt {
			r.Results[i].Exemption = by[id].Name
		}
	}
	if err := f.print(cmd.OutOrStdout(), r, &o); err != nil {
		return err
	}
	switch {
	case r.Failed():
		return errFails
	case r.Summary.Statuses[control.Unknown] > 0:
		return errUntold
	}
	return nil
}

// options checks the flags before anything is read.
func (f *nodeFlags) options(cmd *cobra.Command) (o nodeOptions, err error) {
	if err := knownOutput(cmd, f.output, checkOutputs); err != nil {
		return o, err
	}
	if f.root == "" {
		return o, usagef(cmd, "--root: no directory is named")
	}
	if o.lang, err = control.ParseLang(f.lang); err != nil {
		return o, usagef(cmd, "--lang: %w", err)
	}
	for _, name := range f.benchmarks {
		id, err := control.ParseBenchmark(name)
		if err != nil {
			return o, usagef(cmd, "--benchmark: %w", err)
		}
		o.benchmarks = append(o.benchmarks, id)
	}
	o.rules = check.NewRules(o.benchmarks...)
	if o.rules.Modules, err = f.unnecessary(cmd); err != nil {
		return o, err
	}
	if o.rules.Exempt, err = f.exempted(cmd); err != nil {
		return o, err
	}
	if o.checks, err = f.chosen(cmd, &o); err != nil {
		return o, err
	}
	if o.labels, err = f.labels(cmd); err != nil {
		return o, err
	}
	judged := slices.ContainsFunc(o.checks, func(c *check.Check) bool { return c.ID == forModules })
	if len(f.modules) > 0 && !judged {
		return o, usagef(cmd, "--module: %s, which it is for, is not among the controls that are judged", forModules)
	}
	return o, nil
}

// unnecessary are the modules of --module.
func (f *nodeFlags) unnecessary(cmd *cobra.Command) ([]string, error) {
	for _, name := range f.modules {
		if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
			return nil, usagef(cmd, "--module: %q is no name of a kernel module: use letters, digits, '_' and '-'", name)
		}
	}
	return f.modules, nil
}

func (f *nodeFlags) exempted(cmd *cobra.Command) (map[control.ID]string, error) {
	exempt := map[control.ID]string{}
	for _, value := range f.exempt { // a reason may have any sign, a comma among them
		id, reason, _ := strings.Cut(value, "=")
		if err := nodeControl(cmd, "--exempt", id); err != nil {
			return nil, err
		}
		if strings.TrimSpace(reason) == "" {
			return nil, usagef(cmd, "--exempt: %s has no reason: use %s=REASON", id, id)
		}
		exempt[control.ID(id)] = reason
	}
	return exempt, nil
}

// chosen are the checks to run.
func (f *nodeFlags) chosen(cmd *cobra.Command, o *nodeOptions) ([]*check.Check, error) {
	if err := given(cmd, "control", "control", f.controls); err != nil {
		return nil, err
	}
	for _, id := range f.controls {
		if err := nodeControl(cmd, "--control", id); err != nil {
			return nil, err
		}
	}
	if cmd.Flags().Changed("explain") {
		if err := nodeControl(cmd, "--explain", f.explain); err != nil {
			return nil, err
		}
		if len(f.controls) > 0 {
			return nil, usagef(cmd, "--control does not go with --explain, which is about one control")
		}
		c, _ := check.Get(control.ID(f.explain))
		return []*check.Check{c}, nil
	}
	checks := check.Select(o.rules, o.benchmarks...)
	if len(f.controls) > 0 {
		checks = slices.DeleteFunc(slices.Clone(check.All()), func(c *check.Check) bool {
			return !slices.Contains(f.controls, string(c.ID))
		})
	}
	if len(checks) == 0 {
		return nil, usagef(cmd, "--benchmark: %s has no controls of nodes", strings.Join(o.benchmarks, ", "))
	}
	return checks, nil
}

// nodeControl refuses an id that no check of a node has.
func nodeControl(cmd *cobra.Command, flag, id string) error {
	if _, ok := check.Get(control.ID(id)); ok {
		return nil
	}
	if _, known := control.Get(control.ID(id)); known {
		return usagef(cmd, "%s: no node shows control %q", flag, id)
	}
	return usagef(cmd, "%s: unknown control %q%s", flag, id, control.Hint(id, nodeIDs()))
}

func nodeIDs() []string {
	all := check.All()
	ids := make([]string, 0, len(all))
	for _, c := range all {
		ids = append(ids, string(c.ID))
	}
	return ids
}

// exemptible are the beginnings of values for --exempt.
func exemptible() []string {
	ids := nodeIDs()
	for i := range ids {
		ids[i] += "="
	}
	return ids
}

// nodeBenchmarks are those that number a control of nodes.
func nodeBenchmarks() []string {
	return slices.DeleteFunc(benchmarkIDs(), func(id string) bool { return len(check.In(check.All(), id)) == 0 })
}

func (f *nodeFlags) print(w io.Writer, r *report.Report, o *nodeOptions) error {
	if f.explain != "" && f.output == "table" {
		return explain(w, r.Results[0], o)
	}
	switch f.output {
	case "json":
		return report.JSON(w, r)
	case "yaml":
		return report.YAML(w, r)
	}
	also := []control.Status{control.Unknown, control.ByHand, control.Exempt}
	return report.Table{All: f.all, Also: also, Lang: o.lang, Benchmarks: o.benchmarks}.Write(w, r)
}

// errUntold ends a command after which nothing fails, but not all could be told.
var errUntold = fmt.Errorf("some controls could not be judged: see those that are %s", control.Unknown)
