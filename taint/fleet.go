package taint

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/taint/ruling"
)

// The conditions of a Node that the controller writes.
const (
	// ConditionCompliant is True where nothing fails that is warned of or enforced. Its
	// last transition is when the verdict, which is its reason, became what it is.
	ConditionCompliant corev1.NodeConditionType = "HardeningCompliant"
	// ConditionStale is True while nothing has been heard of a node's agent for longer
	// than its lease lasts.
	ConditionStale corev1.NodeConditionType = "HardeningReportStale"
)

// Fleet is all that Plan looks at. Plan changes nothing of it.
type Fleet struct {
	Nodes    []*Node // in any order
	Policies *ruling.Book
	// Exemptions are those that are understood, expired ones among them.
	Exemptions []ruling.Exemption
	// Misunderstood says why a policy or an exemption is not understood. While there is
	// any, no taint is set or removed: what it asks for is not known.
	Misunderstood []error
	// Paused is why everything is paused; empty if it is not.
	Paused string
	// Baseline are the rule sets whose verdicts have been seen, as they were stored.
	Baseline []RuleSet
}

// Node is what Plan reads of a node and of what belongs to it.
type Node struct {
	Name   string
	UID    types.UID
	Labels labels.Set
	// Pool is the node's pool; nodes without one are a pool of their own together.
	Pool         string
	ControlPlane bool
	Created      time.Time
	// Ready is the node's condition, Cordoned its spec.unschedulable.
	Ready, Cordoned bool
	Paused          bool
	// Taints are all of the node's, others' among them.
	Taints []corev1.Taint
	// Compliant and Stale are the conditions as they are stored; zero if there are none.
	Compliant, Stale corev1.NodeCondition
	// Report is the report on this very node, not on an earlier one of its name; nil
	// if there is none.
	Report *Report
	// Heard is when the agent was last heard of, by the controller's own clock; zero if it
	// never was.
	Heard time.Time
	// Lease is how long it counts as alive after that.
	Lease time.Duration
}

// Report is what Plan reads of a NodeReport.
type Report struct {
	RuleSet RuleSetID
	// Current is whether it was made by the rules that the controller asks for now.
	Current bool
	// Results has the verdict on each control that is in the report. Reports that say
	// the same may share it: it is not changed.
	Results map[control.ID]control.Status
}

// RuleSetID is one version of agent and rules. Orders is that of ruling.Rules, for the
// nodes that were seen by it; a report has none of its own.
type RuleSetID struct{ AgentVersion, RuleSet, Orders string }

// RuleSet is what is known of one.
type RuleSet struct {
	RuleSetID

	FirstSeen time.Time
	// Accepted is whether the fleet has been seen by it. Until then it taints nobody.
	Accepted bool
}

// Config is what is configured for the whole controller.
type Config struct {
	// DriftedKey and UnverifiedKey are the keys of the taints; see package key.
	DriftedKey, UnverifiedKey string
	// Started is when the controller began to listen, by its own clock: what was not heard
	// of since may only not have been heard yet.
	Started time.Time
	// Ahead is how far the clock that Plan is given is ahead of the controller's own. It may
	// be set, or that of another API server: nobody has been silent for longer by that.
	Ahead time.Duration
}
