package controller

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/control"
)

// Metrics says what the audit found and what was written. No label has the name of a
// namespace: their number is the tenants' to choose.
type Metrics struct {
	failed   prometheus.Counter
	written  *prometheus.CounterVec
	objects  prometheus.Gauge
	failing  *prometheus.GaugeVec
	missed   prometheus.Gauge
	duration prometheus.Histogram
	finished prometheus.Gauge
	interval prometheus.Gauge
	cells    *prometheus.GaugeVec
	expiring prometheus.Gauge
	expired  prometheus.Gauge
	problems prometheus.Gauge
	open     prometheus.Gauge
	// reached is not there before it is known: only who leads asks.
	reached *prometheus.GaugeVec
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := &Metrics{
		failed:  prometheus.NewCounter(prometheus.CounterOpts{Name: "hardgate_audit_rounds_failed_total", Help: "Rounds that did not come to their end."}),
		written: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hardgate_audit_writes_total", Help: "What was written, by kind."}, []string{"kind"}),
		objects: gauge("hardgate_audit_objects", "Objects that the last audit judged."),
		failing: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hardgate_audit_violations", Help: "Workloads and other objects that fail, by control: pods count as their owner.",
		}, []string{"control"}),
		missed: gauge("hardgate_audit_missed_resources", "Resources that the last audit could not read to the end."),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hardgate_audit_duration_seconds", Help: "Time that it took to audit the cluster.", Buckets: []float64{.1, .5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300},
		}),
		finished: gauge("hardgate_audit_finished_timestamp_seconds", "When the last audit ended."),
		interval: gauge("hardgate_audit_interval_seconds", "How long it is from one audit to the next, as the controller is told."),
		cells:    prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "hardgate_rollout_cells", Help: "Controls in namespaces that a rollout leads, by mode."}, []string{"mode"}),
		expiring: gauge("hardgate_exemptions_expiring", "Exemptions that end within a week."),
		expired:  gauge("hardgate_exemptions_expired", "Exemptions that have ended and are still there."),
		open:     gauge("hardgate_enforced_namespaces_open", "Namespaces in which something is enforced and that do not fail closed yet."),
		problems: gauge("hardgate_workload_policy_errors", "Errors in WorkloadPolicies and Exemptions: nothing is promoted while there are any."),
	}
	m.reached = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "hardgate_webhook_reached",
		Help: "1 where the API server reaches the webhook, by the last self-test; 0 where it does not, and nothing is promoted.",
	}, nil)
	registry.MustRegister(m.reached, m.failed, m.written, m.objects, m.failing, m.missed, m.duration, m.finished, m.interval, m.cells, m.expiring, m.expired, m.problems, m.open)
	return m
}

func (m *Metrics) audited(r *audit.Result) {
	m.duration.Observe(r.Finished.Sub(r.Started).Seconds())
	m.finished.Set(float64(r.Finished.Unix()))
	m.objects.Set(float64(r.Objects))
	m.missed.Set(float64(len(r.Missed)))
	m.failing.Reset() // a control that is judged nowhere any more
	failing := map[control.ID]int{}
	for _, sum := range r.Namespaces {
		for id, t := range sum.Controls {
			failing[id] += t.Failing
		}
	}
	for id, n := range failing {
		m.failing.WithLabelValues(string(id)).Set(float64(n))
	}
}

func (m *Metrics) modes(cells map[control.Mode]int) {
	for mode := control.Audit; mode <= control.Enforce; mode++ {
		m.cells.WithLabelValues(mode.String()).Set(float64(cells[mode]))
	}
}
