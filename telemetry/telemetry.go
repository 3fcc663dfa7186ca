// Package telemetry lists the metrics that hardgate's programs have: the one list that
// docs/metrics.md is made of, that alerts and dashboards are held against, and that every
// program's registry is held against by its tests. It measures nothing.
package telemetry

import "slices"

// Program is one of the programs that serve /metrics.
type Program string

// The programs.
const (
	Webhook    Program = "webhook"
	Controller Program = "controller"
	Nodecheck  Program = "nodecheck"
)

// Kind is a metric's type, as Prometheus calls it.
type Kind string

// The types that are in use.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram"
)

// Label is a label of a metric, and what its values are: always few, and never a name of
// a namespace, an object or a node.
type Label struct{ Name, Values string }

// Metric is a metric of ours.
type Metric struct {
	Program Program
	Name    string
	Kind    Kind
	// Help is what /metrics says of it.
	Help   string
	Labels []Label
	// Leader is whether only the controller that leads sets it: ask for the max over all.
	Leader bool
}

// Of are the metrics of a program, in the list's order.
func Of(p Program) []Metric {
	return slices.DeleteFunc(slices.Clone(metrics), func(m Metric) bool { return m.Program != p })
}

// All are the metrics of all programs.
func All() []Metric { return slices.Clone(metrics) }

// Series are the names under which a metric is stored.
func (m *Metric) Series() []string {
	if m.Kind == Histogram {
		return []string{m.Name + "_bucket", m.Name + "_count", m.Name + "_sum"}
	}
	return []string{m.Name}
}

// Foreign is a metric of others that alerts or dashboards look at.
type Foreign struct {
	Name, From, Means string
}

// Others are the metrics of others that may be looked at.
func Others() []Foreign { return slices.Clone(foreign) }
