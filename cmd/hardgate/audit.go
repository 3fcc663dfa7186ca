package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/report"
	"github.com/hardgate-dev/hardgate/version"
)

const auditLong = `Judge what stands in a cluster right now, as the controller's audit does: every object of the
kinds that are judged, by the cluster's own WorkloadPolicies in the modes that their rollouts
have reached, with its Exemptions. What is found is what the webhook would say of the object.

Where hardgate is not installed every control is judged as without a policy, and a note says
so. Nothing is written, and nothing has to be installed.

Findings are in the order of namespaces, objects without one first, and of owners: a
Deployment with its ReplicaSets and pods. Objects of one owner with the same findings are one
entry, which says how many they are. Lists are read in pages, and what is kept is each
different entry once, not each object. With -o jsonl a line is written for each result as
it is found, and no result is kept. A cluster with many pods that nothing owns is for that.

What passes is counted and shown with --all only, as is what a person must judge of single
objects. What starts nothing any more, such as a pod that has ended or an old ReplicaSet,
is judged too.

With --namespace nothing is said of what has no namespace and of the cluster as a whole.

Secrets are not read. The rights to list all else that is judged are needed, which the
ClusterRole hardgate-controller has; what may not be read is told, and not judged.

Exit status: 0 nothing fails; 1 something fails, in whichever mode; 2 bad usage, or not all
could be read. What could be read is judged and printed all the same.`

const auditExample = `  # the current context's cluster
  hardgate audit

  # two namespaces, one control
  hardgate audit -n shop,bank --control host-path

  # a large cluster, a line for each result
  hardgate audit -o jsonl | gzip > audit.jsonl.gz`

type auditFlags struct {
	cluster    clusterFlags
	namespaces []string
	controls   []string
	output     string
	lang       string
	all        bool
}

var auditOutputs = []string{"table", "json", "yaml", "jsonl", "sarif", "junit"}

func newAudit() *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:     "audit",
		Short:   "Judge what stands in a cluster",
		Long:    auditLong,
		Example: auditExample,
		Args:    noArguments(": choose namespaces with -n"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd, time.Now) },

		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringSliceVarP(&f.namespaces, "namespace", "n", nil, "only what is in these namespaces")
	flags.StringSliceVar(&f.controls, "control", nil, "judge by these controls only")
	flags.BoolVar(&f.all, "all", false, "show every result, passes too")
	flags.StringVarP(&f.output, "output", "o", "table", "table, json, yaml, jsonl, sarif or junit")
	flags.StringVar(&f.lang, "lang", string(control.English), "language of titles and remedies: en or ko")
	f.cluster.add(cmd)
	complete(cmd, "namespace", fixed())
	complete(cmd, "control", auditedIDs)
	complete(cmd, "output", fixed(auditOutputs...))
	complete(cmd, "lang", fixed("en", "ko"))
	return cmd
}

func (f *auditFlags) run(cmd *cobra.Command, now func() time.Time) error {
	lang, err := f.options(cmd)
	if err != nil {
		return err
	}
	c, err := f.cluster.open(cmd)
	if err != nil {
		return err
	}
	config, err := f.cluster.config(cmd)
	if err != nil {
		return err
	}
	config.Timeout, config.WarningHandler = f.cluster.timeout, rest.NoWarnings{}
	options, notes, errs, err := c.auditing(cmd.Context(), now())
	if err != nil {
		return err
	}
	tell(cmd.ErrOrStderr(), "note", notes)
	ctx, stop := context.WithCancelCause(cmd.Context())
	defer stop(nil)
	g := newGathering(f, lang, cmp.Or(c.context, c.server))
	if f.output == "jsonl" {
		g.stream(cmd.OutOrStdout(), stop)
	}
	p := progress{to: cmd.ErrOrStderr(), now: now, last: now()}
	options.Now = now
	options.Each = func(s *audit.Seen) {
		g.see(s)
		p.see(s)
	}
	errs = append(errs, f.pass(ctx, config, &options, g)...)
	if err := context.Cause(ctx); err != nil && cmd.Context().Err() == nil {
		return err // the output could not be written, and nothing else matters
	}
	r := g.report(errs)
	if err := f.print(cmd, r, g, lang); err != nil {
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

// pass judges the whole cluster, or the namespaces that are asked for. The errors say what
// could not be read.
func (f *auditFlags) pass(ctx context.Context, config *rest.Config, o *audit.Options, g *gathering) (errs []error) {
	if len(f.namespaces) == 0 {
		result, err := audit.Pass(ctx, config, *o)
		if err != nil {
			return []error{wayOut(err)}
		}
		g.whole(result)
		for _, m := range result.Missed {
			errs = append(errs, fmt.Errorf("not all could be read: %s: %w", m.Resource, m.Err))
		}
		return errs
	}
	for _, ns := range f.namespaces {
		if _, err := audit.Namespace(ctx, config, ns, *o); err != nil {
			errs = append(errs, wayOut(err))
		}
	}
	g.namespaces = len(f.namespaces)
	return errs
}

// options checks the flags before anything is asked.
func (f *auditFlags) options(cmd *cobra.Command) (control.Lang, error) {
	if err := knownOutput(cmd, f.output, auditOutputs); err != nil {
		return "", err
	}
	lang, err := control.ParseLang(f.lang)
	if err != nil {
		return "", usagef(cmd, "--lang: %w", err)
	}
	for _, ns := range f.namespaces {
		if err := knownNamespace(cmd, ns); err != nil {
			return "", err
		}
	}
	slices.Sort(f.namespaces)
	f.namespaces = slices.Compact(f.namespaces)
	if err := cmp.Or(given(cmd, "namespace", "namespace", f.namespaces), given(cmd, "control", "control", f.controls)); err != nil {
		return "", err
	}
	for _, id := range f.controls {
		if slices.Contains(auditedIDs(), id) {
			continue
		}
		if _, known := control.Get(control.ID(id)); known {
			return "", usagef(cmd, "--control: no object of a cluster shows control %q", id)
		}
		return "", usagef(cmd, "--control: unknown control %q%s", id, control.Hint(id, auditedIDs()))
	}
	return lang, f.cluster.check(cmd)
}

// auditedIDs are the controls that an audit has verdicts on.
func auditedIDs() (ids []string) {
	for _, c := range control.All() {
		if c.Face == control.Admission || c.Face == control.Cluster {
			ids = append(ids, string(c.ID))
		}
	}
	return ids
}

func (f *auditFlags) print(cmd *cobra.Command, r *report.Stream, g *gathering, lang control.Lang) error {
	switch out := cmd.OutOrStdout(); f.output {
	case "json":
		return r.JSON(out)
	case "yaml":
		return r.YAML(out)
	case "sarif":
		return report.SARIF{Version: version.String(), All: f.all, Lang: lang}.Write(out, r)
	case "junit":
		return report.JUnit{Lang: lang}.Write(out, r)
	case "jsonl":
		tell(cmd.ErrOrStderr(), "note", []string{r.Summary.Line(lang)})
		return g.flush()
	default:
		also := []control.Status{control.Exempt, control.Unknown, control.ByHand}
		return report.Table{All: f.all, Also: also, Lang: lang, Place: g.cluster}.WriteStream(out, r)
	}
}
