// Package telemetrytest holds a program's registry against the list of all metrics.
package telemetrytest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/hardgate-dev/hardgate/telemetry"
)

// prefix begins the names of our own metrics.
const prefix = "hardgate_"

// Diff tells, a line each, what of our metrics a registry has and the list has not, what
// the list has and the registry has not, what is said differently, and what breaks the
// conventions for names. Nothing is no difference.
func Diff(p telemetry.Program, r *prometheus.Registry) []string {
	said := described(r)
	var diffs []string
	for _, m := range telemetry.Of(p) {
		d, ok := said[m.Name]
		delete(said, m.Name)
		if !ok {
			diffs = append(diffs, m.Name+": is in the list, and not in the program")
			continue
		}
		var labels []string
		for _, l := range m.Labels {
			labels = append(labels, l.Name)
		}
		if d.help != m.Help {
			diffs = append(diffs, fmt.Sprintf("%s: the program says %q, the list %q", m.Name, d.help, m.Help))
		}
		if slices.Sort(labels); !slices.Equal(labels, d.labels) {
			diffs = append(diffs, fmt.Sprintf("%s: has the labels %q, in the list %q", m.Name, d.labels, labels))
		}
	}
	for name := range said {
		diffs = append(diffs, name+": is not in the list: add it to telemetry/list.go")
	}
	diffs = append(diffs, gathered(p, r)...)
	slices.Sort(diffs)
	return diffs
}

// gathered compares the types of what has values, and what the linter has to say of it.
func gathered(p telemetry.Program, r *prometheus.Registry) (diffs []string) {
	families, err := r.Gather()
	if err != nil {
		return []string{err.Error()}
	}
	kinds := map[string]telemetry.Kind{}
	for _, m := range telemetry.Of(p) {
		kinds[m.Name] = m.Kind
	}
	ours := families[:0:0]
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), prefix) {
			continue
		}
		ours = append(ours, f)
		if want, got := kinds[f.GetName()], strings.ToLower(f.GetType().String()); want != "" && string(want) != got {
			diffs = append(diffs, fmt.Sprintf("%s: is a %s, in the list a %s", f.GetName(), got, want))
		}
	}
	problems, err := promlint.NewWithMetricFamilies(ours).Lint()
	if err != nil {
		return append(diffs, err.Error())
	}
	for _, p := range problems {
		diffs = append(diffs, p.Metric+": "+p.Text)
	}
	return diffs
}

type description struct {
	help   string
	labels []string
}

// form is how a descriptor prints itself, which is all that it tells. Vectors without
// series are described, too.
var form = regexp.MustCompile(`^Desc\{fqName: "([^"]*)", help: ("(?:[^"\\]|\\.)*"), (?:unit: "[^"]*", )?constLabels: \{[^}]*\}, variableLabels: \{([^}]*)\}`)

func described(r *prometheus.Registry) map[string]description {
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		r.Describe(descs)
	}()
	all := map[string]description{}
	for d := range descs {
		m := form.FindStringSubmatch(d.String())
		if m == nil {
			all["cannot read "+d.String()] = description{}
			continue
		}
		if !strings.HasPrefix(m[1], prefix) {
			continue
		}
		var labels []string
		if m[3] != "" {
			labels = strings.Split(m[3], ",")
		}
		slices.Sort(labels)
		all[m[1]] = description{help: unquote(m[2]), labels: labels}
	}
	return all
}

func unquote(s string) string {
	text, err := strconv.Unquote(s)
	if err != nil {
		return s
	}
	return text
}
