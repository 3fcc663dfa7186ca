package webhook

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hardgate-dev/hardgate/clock"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/verdict"
)

// What metrics call the answer to a request.
const (
	outcomeAllowed = "allowed" // without a word
	outcomeWarned  = "warned"
	outcomeDenied  = "denied"
	outcomeBad     = "bad-request" // not a request that can be judged
	outcomeError   = "error"       // the gate could not tell
	// outcomeSelfTest is a denial that nobody is denied anything by.
	outcomeSelfTest = "self-test"
)

// Metrics counts what the gate does. No label holds a namespace or a name: their
// number is the tenants' to choose.
type Metrics struct {
	decisions *prometheus.CounterVec
	requests  *prometheus.CounterVec
	duration  prometheus.Histogram
	invalid   prometheus.Gauge
	tainted   prometheus.Counter
	repaired  *prometheus.CounterVec
	// invalidNode is invalid for NodePolicies.
	invalidNode prometheus.Gauge
	// invalidExemptions is invalid for Exemptions.
	invalidExemptions prometheus.Gauge

	// clock is that by which skew is told; nil for none.
	clock atomic.Pointer[clock.Server]

	// counters are those of decisions, looked up once.
	counters map[control.ID]*[modes][statuses]prometheus.Counter
}

const (
	modes    = int(control.Enforce) + 1
	statuses = 5
)

// NewMetrics makes the metrics and registers them.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hardgate_admission_decisions_total",
			Help: "Decisions on admission requests, by control, by the mode that applied and by verdict.",
		}, []string{"control", "mode", "verdict"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hardgate_admission_requests_total",
			Help: "Admission requests, by answer.",
		}, []string{"answer"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "hardgate_admission_duration_seconds",
			Help:    "Time from a request's header to its answer.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .1, .5, 1, 3},
		}),
		invalid: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hardgate_policy_errors",
			Help: "Errors in the WorkloadPolicies in force: parts of them are not understood and not applied.",
		}),
		tainted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hardgate_admission_nodes_tainted_total",
			Help: "Registrations of nodes that were answered with the taint of unverified nodes. A node that is there registers again when its kubelet starts, and keeps the taints that it has.",
		}),
		repaired: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hardgate_admission_repairs_total",
			Help: "Requests that were answered with a repair, by control. An object for which another webhook has more to say comes again.",
		}, []string{"control"}),
		invalidNode: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hardgate_admission_node_policy_errors",
			Help: "Errors in the NodePolicies: while there are any, nodes register without the taint of unverified nodes.",
		}),
	}
	m.invalidExemptions = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "hardgate_admission_exemption_errors", Help: "Errors in the Exemptions: those that have any exempt nothing.",
	})
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "hardgate_admission_clock_skew_seconds", Help: "How far the API server's clock is ahead of the webhook's.",
	}, func() float64 {
		if c := m.clock.Load(); c != nil {
			return c.Ahead().Seconds()
		}
		return 0
	}))
	registry.MustRegister(m.invalidExemptions, m.decisions, m.requests, m.duration, m.invalid, m.tainted, m.repaired, m.invalidNode)
	for _, answer := range []string{outcomeAllowed, outcomeWarned, outcomeDenied, outcomeBad, outcomeError, outcomeSelfTest} {
		m.requests.WithLabelValues(answer) // shown as 0 from the start
	}
	m.counters = make(map[control.ID]*[modes][statuses]prometheus.Counter)
	for _, p := range policy.All() {
		m.counters[p.ID] = m.countersOf(p.ID)
		if p.Fix != nil {
			m.repaired.WithLabelValues(string(p.ID))
		}
	}
	return m
}

// countersOf makes the counters of a control: few, and quick to find. Only those of
// modes that judge exist.
func (m *Metrics) countersOf(id control.ID) *[modes][statuses]prometheus.Counter {
	var counters [modes][statuses]prometheus.Counter
	for mode := control.Audit; mode <= control.Enforce; mode++ {
		for i, s := range [statuses]control.Status{control.Pass, control.Fail, control.NotApplicable, control.ByHand, control.Exempt} {
			counters[mode][i] = m.decisions.WithLabelValues(string(id), mode.String(), string(s))
		}
	}
	return &counters
}

// PolicyErrors sets how many errors the rulings in force were compiled with.
func (m *Metrics) PolicyErrors(n int) { m.invalid.Set(float64(n)) }

func (m *Metrics) count(decisions []verdict.Decision) {
	for i := range decisions {
		d := &decisions[i]
		if s := index(d.Status); s >= 0 && d.Mode != control.Off {
			m.counters[d.ID][d.Mode][s].Inc()
		}
	}
}

// index is where a status that policies give stands in counters.
func index(s control.Status) int {
	switch s {
	case control.Pass:
		return 0
	case control.Fail:
		return 1
	case control.NotApplicable:
		return 2
	case control.ByHand:
		return 3
	case control.Exempt:
		return 4
	case control.Unknown, control.AttestedBy:
		return -1
	}
	return -1
}

func (m *Metrics) answered(outcome string, took time.Duration) {
	m.requests.WithLabelValues(outcome).Inc()
	m.duration.Observe(took.Seconds())
}
