package ruling

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/hardgate-dev/hardgate/control"
)

// Rules are what holds for a node, from all policies that select it. They are shared
// between nodes: callers must not change them.
type Rules struct {
	// Policies are the names of those that select the node, in order.
	Policies []string
	// Modes has the controls in mode Audit, Warn or Enforce. A control that is not
	// here is in DefaultMode.
	Modes map[control.ID]control.Mode
	// Off has the controls that every policy which mentions them turns off.
	Off map[control.ID]bool

	// Benchmarks and UnnecessaryModules are what the node's agent judges by: sorted,
	// the benchmarks by their full ids.
	Benchmarks         []string
	UnnecessaryModules []string
	// Orders names the two: nodes with the same are asked for the same. Empty where
	// nothing is asked for.
	Orders string

	// Effect is that of the taint in mode Enforce.
	Effect corev1.TaintEffect
	// Grace is how long a node must have failed, ClearAfter how long it must have
	// passed, MinimumDwell how long a taint stays at least.
	Grace, ClearAfter, MinimumDwell time.Duration
	// StaleAfter is how long nothing may be heard of the agent until Stale counts:
	// Audit lets the last verdict stand, Warn and Enforce are a failure in that mode.
	// Policies that let it stand have no say in StaleAfter.
	StaleAfter time.Duration
	Stale      control.Mode

	Budget Budget
	// ControlPlane allows taints on control-plane nodes.
	ControlPlane bool
	// UntrustedUntilChecked taints nodes when they register.
	UntrustedUntilChecked bool
	// Paused names the policies that are paused.
	Paused []string
}

// DefaultMode is that of a control that no NodePolicy mentions.
const DefaultMode = control.Audit

// Mode is the mode of a control.
func (r *Rules) Mode(id control.ID) control.Mode {
	if m, ok := r.Modes[id]; ok {
		return m
	}
	if r.Off[id] {
		return control.Off
	}
	return DefaultMode
}

// Limit is a number of nodes or a percentage of them. The zero value is 0 nodes.
type Limit struct {
	Nodes   int
	Percent int
	// IsPercent says which of the two counts.
	IsPercent bool
}

// Of is the limit for so many nodes. A percentage is rounded down, to one node at
// least unless it is 0% or there is none.
func (l Limit) Of(nodes int) int {
	if !l.IsPercent {
		return min(l.Nodes, nodes)
	}
	if l.Percent == 0 || nodes <= 0 {
		return 0
	}
	return min(max(nodes*l.Percent/100, 1), nodes)
}

// Exceeded is whether count is more than the limit allows of nodes, exactly.
func (l Limit) Exceeded(count, nodes int) bool {
	if l.IsPercent {
		return count*100 > nodes*l.Percent
	}
	return count > l.Nodes
}

// Budget has a limit from each policy: all of them hold.
type Budget struct {
	Cluster, Pool, Correlation []Limit
}

// The limits of policies that give none.
var (
	DefaultCluster     = intstr.FromString("10%")
	DefaultPool        = intstr.FromString("25%")
	DefaultCorrelation = intstr.FromString("20%")
)

// The times of policies that give none.
const (
	DefaultGracePeriod  = 5 * time.Minute
	DefaultClearAfter   = time.Minute
	DefaultMinimumDwell = 5 * time.Minute
	DefaultStaleAfter   = time.Hour
)
