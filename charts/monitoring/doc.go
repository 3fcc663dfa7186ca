// Package monitoring holds the chart's alerts and its dashboard against the metrics that
// exist, and the alerts against series that are good and bad. It is a module of its own,
// as it needs the query engine of Prometheus.
package monitoring
