package controller

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/controller/patch"
)

// Metrics says what the controller knows and does. Gauges are those of the leader;
// others leave them at zero. No label has a node's name.
type Metrics struct {
	nodes         *prometheus.GaugeVec
	tainted       prometheus.Gauge
	untrusted     prometheus.Gauge
	stale         prometheus.Gauge
	used, limit   prometheus.Gauge
	held          *prometheus.GaugeVec
	stops         prometheus.Gauge
	misunderstood prometheus.Gauge
	planDuration  prometheus.Histogram
	latency       prometheus.Histogram
	writes        *prometheus.CounterVec
	conflicts     prometheus.Counter
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := &Metrics{
		nodes:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "hardgate_nodes", Help: "Nodes, by verdict."}, []string{"verdict"}),
		tainted:   gauge("hardgate_nodes_tainted", "Nodes with the taint of drifted nodes that keeps pods away."),
		untrusted: gauge("hardgate_nodes_unverified_tainted", "Nodes with the taint of nodes that have not been checked."),
		stale:     gauge("hardgate_nodes_stale", "Nodes whose agents are silent."),
		used:      gauge("hardgate_taint_budget_used", "Tainted nodes that count against the cluster's budget."),
		limit:     gauge("hardgate_taint_budget_limit", "Nodes that may be tainted in the cluster: the lowest limit of all policies that enforce something."),
		held: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hardgate_nodes_held", Help: "Nodes of which a taint that is due is not set, or not removed yet, by reason.",
		}, []string{"reason"}),
		stops:         gauge("hardgate_correlation_stop", "Controls that so many nodes fail that nobody new is tainted."),
		misunderstood: gauge("hardgate_node_policy_errors", "Errors in NodePolicies and Exemptions: no taint is set or removed while there are any."),
		planDuration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hardgate_plan_duration_seconds", Help: "Time that it took to plan for all nodes.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1},
		}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "hardgate_taint_latency_seconds",
			Help:    "Time from when it was known that a node is to be tainted, the grace period being over, to the written taint.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2, 5, 10, 30, 60},
		}),
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hardgate_writes_total", Help: "Writes that were due, by what was written and by result.",
		}, []string{"kind", "result"}),
		conflicts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hardgate_taint_conflicts_total", Help: "Writes of taints that were made anew, as the node had been changed by others.",
		}),
	}
	registry.MustRegister(m.nodes, m.tainted, m.untrusted, m.stale, m.used, m.limit, m.held, m.stops, m.misunderstood,
		m.planDuration, m.latency, m.writes, m.conflicts)
	for k := range kind(kinds) { // shown as 0 from the start
		for _, r := range []patch.Result{patch.Written, patch.Unneeded, patch.Void, patch.Gone, patch.Refused, patch.Unknown} {
			m.writes.WithLabelValues(k.String(), string(r))
		}
	}
	return m
}

// planned notes the outcome of a plan.
func (m *Metrics) planned(out taint.Outcome, misunderstood int, took time.Duration) {
	c := &out.Counts
	for v, n := range map[taint.Verdict]int{
		taint.Compliant: c.Compliant, taint.Warned: c.Warned, taint.Drifted: c.Drifted, taint.Unverified: c.Unverified,
		taint.NotEnforced: c.NotEnforced,
	} {
		m.nodes.WithLabelValues(string(v)).Set(float64(n))
	}
	for _, h := range holds {
		m.held.WithLabelValues(string(h)).Set(float64(c.Holds[h]))
	}
	m.tainted.Set(float64(c.Tainted))
	m.untrusted.Set(float64(c.Untrusted))
	m.stale.Set(float64(c.Stale))
	m.used.Set(float64(c.Used))
	m.limit.Set(float64(c.Limit))
	m.stops.Set(float64(len(out.Stops)))
	m.misunderstood.Set(float64(misunderstood))
	m.planDuration.Observe(took.Seconds())
}

// holds are all that there are, so that each is shown as 0.
var holds = []taint.Hold{
	taint.HoldPaused, taint.HoldMisunderstood, taint.HoldGrace, taint.HoldBaseline, taint.HoldCorrelation, taint.HoldControlPlane,
	taint.HoldCluster, taint.HoldPool, taint.HoldLast, taint.HoldClearing, taint.HoldDwelling,
}

func (m *Metrics) wrote(kind string, r patch.Result) {
	m.writes.WithLabelValues(kind, string(r)).Inc()
}
