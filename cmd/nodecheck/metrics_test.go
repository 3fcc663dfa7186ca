//go:build linux

package main

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hardgate-dev/hardgate/nodecheck"
	"github.com/hardgate-dev/hardgate/nodecheck/delivery"
	"github.com/hardgate-dev/hardgate/telemetry"
	"github.com/hardgate-dev/hardgate/telemetry/telemetrytest"
)

// The agent has the metrics of the list, and no others of ours.
func TestMetrics(t *testing.T) {
	r := prometheus.NewRegistry()
	nodecheck.NewMetrics(r)
	delivery.NewMetrics(r)
	for _, d := range telemetrytest.Diff(telemetry.Nodecheck, r) {
		t.Error(d)
	}
}
