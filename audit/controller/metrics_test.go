package controller

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"

	tainting "github.com/hardgate-dev/hardgate/taint/controller"
)

// An alert goes by how often there is to be an audit, whoever leads.
func TestInterval(t *testing.T) {
	r := prometheus.NewRegistry()
	if _, err := New(tainting.Leader{Config: &rest.Config{Host: "https://api.example"}}, r, Options{Interval: 3 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	all, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.GetName() == "hardgate_audit_interval_seconds" {
			if got := f.GetMetric()[0].GetGauge().GetValue(); got != 3*60*60 {
				t.Errorf("it is told as %g", got)
			}
			return
		}
	}
	t.Error("it is not told")
}
