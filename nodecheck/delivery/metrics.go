package delivery

import (
	"errors"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what became of reports.
type Metrics struct {
	writes    prometheus.Counter
	size      prometheus.Gauge
	failures  *prometheus.CounterVec
	delivered prometheus.Gauge
	last      prometheus.Gauge
	lease     prometheus.Gauge
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		writes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hardgate_node_report_writes_total", Help: "Writes of the NodeReport's status.",
		}),
		size: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hardgate_node_report_size_bytes", Help: "Size of the status that was written last.",
		}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hardgate_node_report_errors_total",
			Help: "Requests to the API server that failed, by HTTP status; \"none\" where there was no answer.",
		}, []string{"code"}),
		delivered: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hardgate_node_report_delivered", Help: "Whether the API server has the latest report.",
		}),
		last: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hardgate_node_report_delivered_timestamp_seconds",
			Help: "When the API server was last known to have the latest report.",
		}),
		lease: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hardgate_node_lease_renewed_timestamp_seconds", Help: "When the lease was renewed.",
		}),
	}
	registry.MustRegister(m.writes, m.size, m.failures, m.delivered, m.last, m.lease)
	return m
}

// tried notes how a try ended, and whether the server has the latest report; it may,
// though the lease is not renewed.
func (m *Metrics) tried(err error, delivered bool) {
	m.delivered.Set(0)
	if delivered {
		m.delivered.Set(1)
		m.last.SetToCurrentTime()
	}
	if err != nil {
		m.failed(err)
	}
}

func (m *Metrics) failed(err error) {
	code := "none"
	if a, ok := errors.AsType[*answerError](err); ok {
		code = strconv.Itoa(a.Code)
	}
	m.failures.WithLabelValues(code).Inc()
}

func (m *Metrics) wrote(size int) {
	m.writes.Inc()
	m.size.Set(float64(size))
}

func (m *Metrics) renewed() { m.lease.SetToCurrentTime() }
