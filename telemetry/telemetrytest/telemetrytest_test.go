package telemetrytest_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hardgate-dev/hardgate/telemetry"
	"github.com/hardgate-dev/hardgate/telemetry/telemetrytest"
	"github.com/hardgate-dev/hardgate/webhook"
)

// What a naive comparison misses: a vector that nobody has counted with, another type, a
// label more, another word of help.
func TestDiff(t *testing.T) {
	vec := func(name string, labels ...string) prometheus.Collector {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: "Help."}, labels)
	}
	for name, c := range map[string]struct {
		program telemetry.Program
		add     prometheus.Collector
		want    string
	}{
		"a vector without series": {telemetry.Webhook, vec("hardgate_novel", "a"), "hardgate_novel: is not in the list"},
		"of others":               {telemetry.Webhook, vec("workqueue_depth", "a"), ""},
		"nothing registered":      {telemetry.Nodecheck, nil, "hardgate_node_scans_total: is in the list, and not in the program"},
		"another type": {telemetry.Nodecheck, prometheus.NewGauge(prometheus.GaugeOpts{ //nolint:promlinter // wrong on purpose
			Name: "hardgate_node_scan_errors_total", Help: "Scans that broke and gave no verdicts.",
		}), "hardgate_node_scan_errors_total: is a gauge, in the list a counter"},
		"other help": {telemetry.Nodecheck, prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hardgate_node_configz", Help: `A "word".`,
		}), `hardgate_node_configz: the program says "A \"word\".", the list`},
		"another label": {telemetry.Nodecheck, vec("hardgate_node_configz", "node"), `hardgate_node_configz: has the labels ["node"], in the list []`},
		"a name against the conventions": {telemetry.Webhook, prometheus.NewCounter(prometheus.CounterOpts{ //nolint:promlinter // wrong on purpose
			Name: "hardgate_novel", Help: "Help.",
		}), `hardgate_novel: counter metrics should have "_total" suffix`},
	} {
		t.Run(name, func(t *testing.T) {
			r := prometheus.NewRegistry()
			if c.program == telemetry.Webhook {
				webhook.NewMetrics(r)
			}
			if c.add != nil {
				r.MustRegister(c.add)
			}
			diffs := strings.Join(telemetrytest.Diff(c.program, r), "\n")
			if c.want == "" && diffs != "" || !strings.Contains(diffs, c.want) {
				t.Errorf("want %q, got:\n%s", c.want, diffs)
			}
		})
	}
}
