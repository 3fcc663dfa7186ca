package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/report"
)

const reportLong = `Print the benchmark's table for a cluster: every row of the two source documents with
its status, as the controller has written it into the ClusterReport "cluster".

  Pass           seen by the audit of the whole cluster, or by the agents of all nodes
  Fail           something fails, whatever the mode of the control
  Exempt         all that fails is exempt
  Manual         a person must decide
  Unknown        not all could be read, or nothing has been yet
  Attested       the provider of a managed cluster answers for it; its word is beside it,
                 and may be "fail"
  NotApplicable  nothing that the row is about exists here

The score counts the rows that the benchmark scores, without those that do not apply.
What a provider attests is counted by itself. docs/report.md says more.

The right to get clusterreports is needed, and no other. Nothing is written.

Exit status: 0 printed; 1 a row has a status of --fail-on; 2 bad usage, or there is no
report to print.`

const reportExample = `  # the table of the current context's cluster
  hardgate report

  # what there is to do, and by what it is told
  hardgate report --status Fail,Manual -o wide

  # in a pipeline
  hardgate report --document kubernetes --fail-on Fail,Unknown -o json`

type reportFlags struct {
	cluster  clusterFlags
	output   string
	lang     string
	document string
	statuses []string
	failOn   []string
}

var (
	reportOutputs   = []string{"table", "wide", "json", "yaml", "markdown", "csv"}
	reportDocuments = []string{"kubernetes", "host"}
	reportStatuses  = []string{
		string(control.Pass), string(control.Fail), string(control.Exempt), string(control.ByHand),
		string(control.Unknown), string(control.AttestedBy), string(control.NotApplicable),
	}
)

// staleAfter is how old an audit may be without a warning.
const staleAfter = 24 * time.Hour

func newReport() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:     "report",
		Short:   "Print the benchmark's table for a cluster",
		Long:    reportLong,
		Example: reportExample,
		Args:    noArguments(": choose rows with --document and --status"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd, time.Now()) },

		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&f.output, "output", "o", "table", strings.Join(reportOutputs[:5], ", ")+" or csv; wide says by what a status is told")
	flags.StringVar(&f.lang, "lang", string(control.English), "language of titles: en or ko")
	flags.StringVar(&f.document, "document", "", "print the rows of this source document only: kubernetes or host")
	flags.StringSliceVar(&f.statuses, "status", nil, "print the rows with these statuses only, separated by commas")
	flags.StringSliceVar(&f.failOn, "fail-on", nil, "exit with 1 if a row of the document has one of these statuses, printed or not")
	f.cluster.add(cmd)
	complete(cmd, "output", fixed(reportOutputs...))
	complete(cmd, "lang", fixed("en", "ko"))
	complete(cmd, "document", fixed(reportDocuments...))
	complete(cmd, "status", fixed(reportStatuses...))
	complete(cmd, "fail-on", fixed(reportStatuses...))
	return cmd
}

func (f *reportFlags) run(cmd *cobra.Command, now time.Time) error {
	lang, err := f.options(cmd)
	if err != nil {
		return err
	}
	c, err := f.cluster.open(cmd)
	if err != nil {
		return err
	}
	r, err := c.clusterReport(cmd.Context())
	if err != nil {
		return err
	}
	tell(cmd.ErrOrStderr(), "warning", staleness(r, now))
	all := f.of(r.Status.Rows)
	card := newCard(r, all, f.shown(all), lang)
	switch out := cmd.OutOrStdout(); f.output {
	case "json":
		err = report.JSON(out, card)
	case "yaml":
		err = report.YAML(out, card)
	case "csv":
		err = card.csv(out)
	case "markdown":
		err = card.markdown(out, lang)
	default:
		err = card.table(out, lang, f.output == "wide")
	}
	if err == nil && slices.ContainsFunc(all, func(row v1alpha1.BenchmarkRow) bool { return slices.Contains(f.failOn, row.Status) }) {
		return errFails
	}
	return err
}

// options checks the flags before anything is asked.
func (f *reportFlags) options(cmd *cobra.Command) (control.Lang, error) {
	if err := knownOutput(cmd, f.output, reportOutputs); err != nil {
		return "", err
	}
	lang, err := control.ParseLang(f.lang)
	if err != nil {
		return "", usagef(cmd, "--lang: %w", err)
	}
	if cmd.Flags().Changed("document") && !slices.Contains(reportDocuments, f.document) {
		return "", usagef(cmd, "--document: unknown document %q%s", f.document, control.Hint(f.document, reportDocuments))
	}
	for flag, statuses := range map[string][]string{"status": f.statuses, "fail-on": f.failOn} {
		for _, s := range statuses {
			if !slices.Contains(reportStatuses, s) {
				return "", usagef(cmd, "--%s: unknown status %q%s", flag, s, control.Hint(s, reportStatuses))
			}
		}
		if err := given(cmd, flag, "status", statuses); err != nil {
			return "", err
		}
	}
	return lang, f.cluster.check(cmd)
}

// of are the rows of the document that is asked for.
func (f *reportFlags) of(rows []v1alpha1.BenchmarkRow) []v1alpha1.BenchmarkRow {
	return slices.DeleteFunc(slices.Clone(rows), func(r v1alpha1.BenchmarkRow) bool { return f.document != "" && r.Document != f.document })
}

func (f *reportFlags) shown(rows []v1alpha1.BenchmarkRow) []v1alpha1.BenchmarkRow {
	return slices.DeleteFunc(slices.Clone(rows), func(r v1alpha1.BenchmarkRow) bool {
		return len(f.statuses) > 0 && !slices.Contains(f.statuses, r.Status)
	})
}

// staleness says what a reader should know of the report's age.
func staleness(r *v1alpha1.ClusterReport, now time.Time) []string {
	a := r.Status.Audit
	if a == nil {
		return []string{"the cluster has not been audited yet: look again in some minutes"}
	}
	if age := now.Sub(a.Finished.Time); age > staleAfter {
		return []string{fmt.Sprintf("the report is old: the last audit ended %s ago, at %s. Does the controller run? kubectl -n hardgate-system get pods",
			days(age), a.Finished.UTC().Format(time.RFC3339))}
	}
	return nil
}

func days(d time.Duration) string {
	if d < 48*time.Hour {
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
