package chart_test

import (
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/charts/chart"
)

// Ports of the node that are the same are refused before an agent fails to start on every
// node.
func TestPortsOfTheNode(t *testing.T) {
	for name, c := range map[string]struct{ values, refused string }{
		"others":                {"nodecheck: {healthPort: 1, metricsPort: 2, kubeletPort: 3}", ""},
		"no metrics":            {"nodecheck: {metricsPort: 0}", ""},
		"neither is asked":      {"nodecheck: {metricsPort: 0, kubeletPort: 0}", ""},
		"probes and metrics":    {"nodecheck: {healthPort: 9257}", "nodecheck.healthPort and nodecheck.metricsPort are both 9257: give each a port of its own"},
		"probes and kubelet":    {"nodecheck: {healthPort: 10250}", "nodecheck.healthPort and nodecheck.kubeletPort are both 10250: give each a port of its own"},
		"metrics and kubelet":   {"nodecheck: {kubeletPort: 9257}", "nodecheck.metricsPort and nodecheck.kubeletPort are both 9257: give each a port of its own"},
		"an agent that is none": {"nodecheck: {enabled: false, healthPort: 9257}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := chart.Render(load(t), chart.Options{Values: values(t, c.values)})
			if c.refused == "" && err != nil || c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)) {
				t.Errorf("%v, want %q", err, c.refused)
			}
		})
	}
}
