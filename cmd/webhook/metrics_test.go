package main

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hardgate-dev/hardgate/telemetry"
	"github.com/hardgate-dev/hardgate/telemetry/telemetrytest"
	"github.com/hardgate-dev/hardgate/webhook"
)

// The webhook has the metrics of the list, and no others of ours.
func TestMetrics(t *testing.T) {
	r := prometheus.NewRegistry()
	webhook.NewMetrics(r)
	for _, d := range telemetrytest.Diff(telemetry.Webhook, r) {
		t.Error(d)
	}
}
