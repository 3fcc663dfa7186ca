package main

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	auditing "github.com/hardgate-dev/hardgate/audit/controller"
	certifying "github.com/hardgate-dev/hardgate/certificate/controller"
	"github.com/hardgate-dev/hardgate/taint/controller"
	"github.com/hardgate-dev/hardgate/telemetry"
	"github.com/hardgate-dev/hardgate/telemetry/telemetrytest"
)

// The controller has the metrics of the list, and no others of ours.
func TestMetrics(t *testing.T) {
	r := prometheus.NewRegistry()
	controller.NewMetrics(r)
	auditing.NewMetrics(r)
	certifying.NewMetrics(r)
	for _, d := range telemetrytest.Diff(telemetry.Controller, r) {
		t.Error(d)
	}
}

// Whether there is a leader is told by controller-runtime, in the registry that is served.
func TestLeaderMetric(t *testing.T) {
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		metrics.Registry.(prometheus.Collector).Describe(descs)
	}()
	found := false
	for d := range descs {
		found = found || strings.Contains(d.String(), `"leader_election_master_status"`)
	}
	if !found {
		t.Error("leader_election_master_status is not there")
	}
}
