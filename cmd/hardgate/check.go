package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/manifest"
	"github.com/hardgate-dev/hardgate/offline"
	"github.com/hardgate-dev/hardgate/report"
	"github.com/hardgate-dev/hardgate/version"
	"github.com/hardgate-dev/hardgate/webhook/policy"
)

const checkLong = `Judge manifests with the policies of the webhook, without a cluster.

Files may hold several YAML documents, JSON and lists. Of a directory, every
*.yaml, *.yml and *.json is read, in the directories below it too.

A workload is judged by every control about workloads, a Role, ClusterRole or binding
by those of section 5.1 about them, a ServiceAccount by default-service-account, and
each of these, like any other object, by default-namespace. What a control needs to
know of the cluster comes from the input: ServiceAccounts, the labels of Namespaces,
and the scope of custom kinds. An object without a namespace is judged by
default-namespace only when --namespace says where it would go.

Without --policy every control is judged with its strictest parameters.
WorkloadPolicies and Exemptions among the manifests are not applied.

What an Exemption of --exemption covers is judged all the same, is Exempt and does not
fail, as at admission: until the second in which it ends. Where it covers a part, the
rest fails. Pods are objects of their own: see docs/exemptions.md.

Each result names its source: the file, the number of the document in it from 0,
and the index in a list, as in "all.yaml#0[2]".

With -o sarif every finding has its file and line, as code scanning shows them; with -o
junit every object is a suite, and every control that applies to it a case.

Exit status: 0 nothing fails; 1 something fails; 2 bad input or usage. After bad
input, what could be read is judged all the same.`

const checkExample = `  # everything in a directory
  hardgate check -f deploy/

  # a rendered chart, as it would be installed into the namespace shop
  helm template shop ./chart | hardgate check -f - -n shop

  # by the site's own policies, for a program to read
  hardgate check -f web.yaml --policy policies.yaml -o json

  # what the site's Exemptions cover does not fail
  hardgate check -f deploy/ --policy policies.yaml --exemption exemptions/

  # for a pipeline that shows findings beside the code
  hardgate check -f deploy/ -o sarif > hardgate.sarif

  # passes too, and two controls only
  hardgate check -f web.yaml --all --control privileged,host-path`

type checkFlags struct {
	files      []string
	policies   []string
	exemptions []string
	controls   []string
	namespace  string
	output     string
	lang       string
	all        bool
}

var (
	checkOutputs = []string{"table", "json", "yaml"}
	// checkFormats are those of findings in manifests: for what shows them beside code, too.
	checkFormats = []string{"table", "json", "yaml", "sarif", "junit"}
)

func newCheck() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:     "check -f FILE|DIR|-",
		Short:   "Judge manifests without a cluster",
		Long:    checkLong,
		Example: checkExample,
		Args:    noArguments(": name files with -f"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd, time.Now()) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVarP(&f.files, "filename", "f", nil, "file or directory to judge, - for standard input; may be repeated")
	flags.StringArrayVar(&f.policies, "policy", nil, "file or directory with WorkloadPolicies to judge by, - for standard input; may be repeated")
	flags.StringArrayVar(&f.exemptions, "exemption", nil, exemptionHelp)
	flags.StringVarP(&f.namespace, "namespace", "n", "", "namespace of objects that name none")
	flags.StringSliceVar(&f.controls, "control", nil, "judge by these controls only")
	flags.BoolVar(&f.all, "all", false, "show every result in the table, not failures only")
	flags.StringVarP(&f.output, "output", "o", "table", "table, json, yaml, sarif or junit")
	flags.StringVar(&f.lang, "lang", string(control.English), "language of titles and remedies: en or ko")
	complete(cmd, "output", fixed(checkFormats...))
	complete(cmd, "lang", fixed("en", "ko"))
	complete(cmd, "control", judgedIDs)
	return cmd
}

func (f *checkFlags) run(cmd *cobra.Command, now time.Time) error {
	options, err := f.options(cmd)
	if err != nil {
		return err
	}
	options.Now = now
	if err := f.judgeBy(cmd, &options); err != nil {
		return err
	}
	set, errs := manifest.Load(f.files, cmd.InOrStdin())
	tell(cmd.ErrOrStderr(), "note", set.Notes)
	if set.Documents == 0 && len(errs) == 0 {
		errs = append(errs, errors.New("no manifest in the input"))
	}
	results, unread := offline.Judge(set.Objects, options)
	errs = append(errs, unread...)
	r := report.New(results, report.Summary{Files: set.Files, Documents: set.Documents, Objects: len(set.Objects) - len(unread)}, errs)
	if err := f.print(cmd.OutOrStdout(), r, set, options.Lang); err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if r.Failed() {
		return errFails
	}
	return nil
}

// judgeBy reads the policies and the exemptions. What is wrong with either is told at once.
func (f *checkFlags) judgeBy(cmd *cobra.Command, o *offline.Options) error {
	var errs []error
	if len(f.policies) > 0 {
		book, warnings, err := readPolicies(f.policies, cmd.InOrStdin())
		tell(cmd.ErrOrStderr(), "warning", warnings)
		o.Book, errs = book, append(errs, flatten(err)...)
	}
	if len(f.exemptions) > 0 {
		exemptions, warnings, err := readExemptions(f.exemptions, cmd.InOrStdin(), o.Now)
		tell(cmd.ErrOrStderr(), "warning", warnings)
		book, bad := exemption.Compile(exemptions)
		o.Exemptions, errs = book, append(append(errs, flatten(err)...), bad...)
	}
	return errors.Join(errs...)
}

// options checks the flags before anything is read.
func (f *checkFlags) options(cmd *cobra.Command) (offline.Options, error) {
	o := offline.Options{Namespace: f.namespace}
	if len(f.files) == 0 {
		return o, usagef(cmd, "no manifest is named: use -f FILE, -f DIR or -f -")
	}
	readers := 0
	for _, files := range [][]string{f.files, f.policies, f.exemptions} {
		if slices.Contains(files, "-") {
			readers++
		}
	}
	if readers > 1 {
		return o, usagef(cmd, "standard input can be read once only: give - to one of --filename, --policy and --exemption")
	}
	if err := knownOutput(cmd, f.output, checkFormats); err != nil {
		return o, err
	}
	lang, err := control.ParseLang(f.lang)
	if err != nil {
		return o, usagef(cmd, "--lang: %w", err)
	}
	o.Lang = lang
	if cmd.Flags().Changed("namespace") {
		if err := knownNamespace(cmd, f.namespace); err != nil {
			return o, err
		}
	}
	if err := given(cmd, "control", "control", f.controls); err != nil {
		return o, err
	}
	for _, id := range f.controls {
		if _, ok := policy.Get(control.ID(id)); !ok {
			return o, usagef(cmd, "--control: %s", unjudged(id))
		}
		o.Controls = append(o.Controls, control.ID(id))
	}
	return o, nil
}

// unjudged says why a control cannot be asked for.
func unjudged(id string) string {
	if _, known := control.Get(control.ID(id)); known {
		return fmt.Sprintf("no manifest shows control %q", id)
	}
	return fmt.Sprintf("unknown control %q%s", id, control.Hint(id, judgedIDs()))
}

func judgedIDs() []string {
	all := policy.All()
	ids := make([]string, 0, len(all))
	for _, p := range all {
		ids = append(ids, string(p.ID))
	}
	return ids
}

func (f *checkFlags) print(w io.Writer, r *report.Report, set *manifest.Set, lang control.Lang) error {
	switch f.output {
	case "sarif":
		return report.SARIF{Version: version.String(), All: f.all, Lang: lang, Locate: locate(set)}.Write(w, r.Stream())
	case "junit":
		return report.JUnit{Lang: lang, Locate: locate(set)}.Write(w, r.Stream())
	case "json":
		return report.JSON(w, r)
	case "yaml":
		return report.YAML(w, r)
	}
	return report.Table{All: f.all, Also: []control.Status{control.Exempt}, Lang: lang}.Write(w, r)
}

// locate finds the lines of what was read from files.
func locate(set *manifest.Set) report.Locate {
	objects := make(map[string]*manifest.Object, len(set.Objects))
	for i := range set.Objects {
		objects[set.Objects[i].Source] = &set.Objects[i]
	}
	return func(o report.Object, path string) (file string, line int) {
		if found := objects[o.Source]; found != nil && found.File() != "-" {
			return found.File(), found.Line(path)
		}
		return "", 0
	}
}

func tell(w io.Writer, what string, lines []string) {
	for _, line := range lines {
		fmt.Fprintf(w, "hardgate: %s: %s\n", what, report.Printable(line))
	}
}
