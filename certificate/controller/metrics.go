package controller

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hardgate-dev/hardgate/certificate"
)

// Metrics are those of the certificates. Only who leads sets them.
type Metrics struct {
	expiry  *prometheus.GaugeVec
	ready   *prometheus.GaugeVec
	skew    *prometheus.GaugeVec
	renewed *prometheus.CounterVec
	writes  *prometheus.CounterVec
	failed  prometheus.Counter
}

// What a certificate is, in metrics.
const (
	authority = "authority"
	serving   = "serving"
)

// NewMetrics makes the metrics and registers them.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		expiry: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hardgate_certificate_expiration_timestamp_seconds", Help: "When what is stored expires: the webhook's serving certificate, and the authority that signs it.",
		}, []string{"certificate"}),
		ready: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hardgate_certificate_ready", Help: "1 where certificate and bundles are as they should be, or on the way; 0 where something is in the way, of which there is an Event.",
		}, nil),
		skew: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hardgate_certificate_clock_skew_seconds", Help: "How far the API server's clock is ahead of the controller's.",
		}, nil),
		renewed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hardgate_certificate_renewals_total", Help: "Certificates that were made by the built-in issuer, the first included.",
		}, []string{"certificate"}),
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hardgate_certificate_writes_total", Help: "Steps of the built-in issuer, by result: written, conflict, refused.",
		}, []string{"action", "result"}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{Name: "hardgate_certificate_failures_total", Help: "Rounds in which something was in the way."}),
	}
	registry.MustRegister(m.expiry, m.ready, m.skew, m.renewed, m.writes, m.failed)
	for _, c := range []string{authority, serving} {
		m.renewed.WithLabelValues(c)
	}
	return m
}

func (m *Metrics) wrote(a certificate.Action, result string) {
	m.writes.WithLabelValues(a.String(), result).Inc()
	if result != written {
		return
	}
	switch a {
	case certificate.MakeCA:
		m.renewed.WithLabelValues(authority).Inc()
	case certificate.Issue:
		m.renewed.WithLabelValues(serving).Inc()
	default:
	}
}

// expires notes an end, and forgets that of what is not there.
func (m *Metrics) expires(what string, at time.Time) {
	if at.IsZero() {
		m.expiry.DeleteLabelValues(what)
		return
	}
	m.expiry.WithLabelValues(what).Set(float64(at.Unix()))
}

func (m *Metrics) found(problem error) {
	good := 1.0
	if problem != nil {
		good = 0
		m.failed.Inc()
	}
	m.ready.WithLabelValues().Set(good)
}
