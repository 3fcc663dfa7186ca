package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/report"
)

const controlsExample = `  # the controls with their numbers in the benchmark's edition 1.12
  hardgate controls --benchmark 1.12

  # docs/controls.md
  hardgate controls -o markdown

  # what becomes of each row of the two source documents
  hardgate controls --rows -o csv`

type controlsFlags struct {
	output    string
	benchmark string
	lang      string
	rows      bool
}

var (
	controlsOutputs = []string{"table", "json", "markdown"}
	rowsOutputs     = []string{"table", "json", "csv"}
)

func newControls() *cobra.Command {
	var f controlsFlags
	cmd := &cobra.Command{
		Use:   "controls",
		Short: "Print the catalogue of controls",
		Long: `Print the catalogue of controls.

With --benchmark only the controls that have a number there are printed, in the
order of those numbers. With --rows one line is printed for each row of the two
source documents.`,
		Example: controlsExample,
		Args:    noArguments(""),
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&f.output, "output", "o", "table", "table, json or markdown; table, json or csv with --rows")
	flags.StringVar(&f.benchmark, "benchmark", "", "benchmark whose numbers to show, such as 1.12, aks or "+control.DefaultBenchmark)
	flags.StringVar(&f.lang, "lang", string(control.English), "language: en or ko")
	flags.BoolVar(&f.rows, "rows", false, "print the rows of the source documents")
	complete(cmd, "output", func() []string {
		if f.rows {
			return rowsOutputs
		}
		return controlsOutputs
	})
	complete(cmd, "lang", fixed("en", "ko"))
	complete(cmd, "benchmark", benchmarkIDs)
	return cmd
}

func benchmarkIDs() []string {
	all := control.Benchmarks()
	ids := make([]string, 0, len(all))
	for _, b := range all {
		ids = append(ids, b.ID)
	}
	return ids
}

func (f *controlsFlags) run(cmd *cobra.Command) error {
	lang, err := control.ParseLang(f.lang)
	if err != nil {
		return usagef(cmd, "--lang: %w", err)
	}
	if f.benchmark != "" {
		if f.benchmark, err = control.ParseBenchmark(f.benchmark); err != nil {
			return usagef(cmd, "--benchmark: %w", err)
		}
	}
	if f.rows {
		return f.printRows(cmd, lang)
	}
	if f.output == "csv" {
		return usagef(cmd, "--output: csv is for --rows")
	}
	if err := knownOutput(cmd, f.output, controlsOutputs); err != nil {
		return err
	}
	controls := f.chosen()
	switch out := cmd.OutOrStdout(); f.output {
	case "json":
		return report.JSON(out, entries(controls, lang))
	case "markdown":
		return markdown{lang: lang}.write(out, controls)
	default:
		return f.table(out, controls, lang)
	}
}

// chosen is the catalogue, or that part of it which the benchmark numbers.
func (f *controlsFlags) chosen() []control.Control {
	all := control.All()
	if f.benchmark == "" {
		return all
	}
	all = slices.DeleteFunc(all, func(c control.Control) bool { return control.Number(c.ID, f.benchmark) == "" })
	slices.SortStableFunc(all, func(a, b control.Control) int {
		return compareNumbers(control.Number(a.ID, f.benchmark), control.Number(b.ID, f.benchmark))
	})
	return all
}

// numbers are all numbers of a control in one benchmark: a document may have two.
func numbers(id control.ID, in string) string {
	var found []string
	for _, row := range control.Rows(id) {
		if row.Benchmark == in {
			found = append(found, row.ID)
		}
	}
	if found == nil {
		return "-"
	}
	return strings.Join(found, ", ")
}

// compareNumbers orders 5.2.2 before 5.2.10.
func compareNumbers(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		if len(x) != len(y) {
			return len(x) - len(y)
		}
		return strings.Compare(x, y)
	})
}

// title is the heading of a benchmark's column.
func title(benchmark string) string {
	if edition, ok := strings.CutPrefix(benchmark, "cis-kubernetes-"); ok {
		return "CIS " + edition
	}
	return benchmark
}

func orDash[S ~string](s S) string {
	if s == "" {
		return "-"
	}
	return fmt.Sprint(s)
}
