package monitoring_test

import (
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/hardgate-dev/hardgate/telemetry"
)

func minutes(d model.Duration) time.Duration { return time.Duration(d) }

// metricNames are the names of all series that exist.
func metricNames() map[string]bool {
	names := map[string]bool{}
	for _, m := range telemetry.All() {
		for _, s := range m.Series() {
			names[s] = true
		}
	}
	for _, f := range telemetry.Others() {
		names[f.Name] = true
	}
	return names
}

// asked are the names of the series that an expression looks at. One that has no name
// looks at anything, and is an error.
func asked(t *testing.T, expr string) (names []string) {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Errorf("%s: %v", expr, err)
		return nil
	}
	for _, selectors := range parser.ExtractSelectors(parsed) {
		name := ""
		for _, m := range selectors {
			if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual {
				name = m.Value
			}
		}
		names = append(names, name)
	}
	return names
}
