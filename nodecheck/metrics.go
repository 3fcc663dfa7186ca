package nodecheck

import (
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hardgate-dev/hardgate/nodecheck/check"
)

// Why a scan is made.
const (
	causeFull   = "full"   // it is time to
	causeChange = "change" // a file or directory was reported
	causePoll   = "poll"   // a value of the kernel's is another
	causeLater  = "later"  // to see what became of a change
	causeRules  = "rules"  // other rules are in force
)

// Metrics shows what the agent finds and does.
type Metrics struct {
	duration prometheus.Histogram
	scans    *prometheus.CounterVec
	failures prometheus.Counter
	success  prometheus.Gauge
	watches  prometheus.Gauge
	polled   prometheus.Gauge
	hanging  prometheus.Gauge
	configz  prometheus.Gauge
	refused  prometheus.Gauge
	confined prometheus.Gauge

	verdict *prometheus.Desc
	mu      sync.Mutex
	current []check.Verdict
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := &Metrics{
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hardgate_node_scan_duration_seconds", Help: "Time that a scan of all controls took.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .5, 1, 10},
		}),
		scans: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hardgate_node_scans_total", Help: "Scans, by what they were made for.",
		}, []string{"cause"}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hardgate_node_scan_errors_total", Help: "Scans that broke and gave no verdicts.",
		}),
		success:  gauge("hardgate_node_scan_success_timestamp_seconds", "When the last scan came to its end."),
		watches:  gauge("hardgate_node_watched_directories", "Directories that are watched by inotify."),
		polled:   gauge("hardgate_node_watch_limited", "Whether some directories are polled, as they cannot be watched."),
		hanging:  gauge("hardgate_node_hanging_checks", "Checks that do not come back, since a file does not answer."),
		configz:  gauge("hardgate_node_configz", "Whether the kubelet tells its configuration."),
		refused:  gauge("hardgate_node_spec_refused", "Whether the report's spec asks for rules that this agent does not know, and those before stay in force."),
		confined: gauge("hardgate_node_confined", "Whether the agent has given up the right to write and to execute files; 0 where the kernel or a seccomp profile does not let it."),
		verdict:  prometheus.NewDesc("hardgate_node_control_status", "1 for the status that a control has on this node.", []string{"control", "status"}, nil),
	}
	for _, cause := range []string{causeFull, causeChange, causePoll, causeLater, causeRules} {
		m.scans.WithLabelValues(cause) // shown as 0 from the start
	}
	registry.MustRegister(m, m.duration, m.scans, m.failures, m.success, m.watches, m.polled, m.hanging, m.configz, m.refused, m.confined)
	return m
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(descs chan<- *prometheus.Desc) { descs <- m.verdict }

// Collect implements prometheus.Collector: a series for each control, whose status is
// a label. The others would be zeros without end.
func (m *Metrics) Collect(metrics chan<- prometheus.Metric) {
	m.mu.Lock()
	current := slices.Clone(m.current)
	m.mu.Unlock()
	for _, v := range current {
		metrics <- prometheus.MustNewConstMetric(m.verdict, prometheus.GaugeValue, 1, string(v.Control), string(v.Status))
	}
}

func (m *Metrics) scanned(cause string, out Outcome, hanging int) {
	m.duration.Observe(out.Took.Seconds())
	m.scans.WithLabelValues(cause).Inc()
	m.success.SetToCurrentTime()
	m.hanging.Set(float64(hanging))
	current := make([]check.Verdict, 0, len(out.Verdicts))
	for _, v := range out.Verdicts {
		current = append(current, check.Verdict{Control: v.Control, Result: check.Result{Status: v.Status}})
	}
	m.mu.Lock()
	m.current = current
	m.mu.Unlock()
}

func (m *Metrics) failed() { m.failures.Inc() }

func (m *Metrics) watching(directories int, limited bool) {
	m.watches.Set(float64(directories))
	m.polled.Set(number(limited))
}

func (m *Metrics) account(known bool) { m.configz.Set(number(known)) }

func (m *Metrics) spec(refused bool) { m.refused.Set(number(refused)) }

// Confined is told once whether the process may still write and execute files.
func (m *Metrics) Confined(yes bool) { m.confined.Set(number(yes)) }

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
