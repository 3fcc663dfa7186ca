package taint

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/control"
)

// Outcome is what is to be done with a fleet.
type Outcome struct {
	// Decisions has one for each node, in the order of their names.
	Decisions []Decision
	// Stops are the controls which so many nodes fail that nobody new is tainted.
	Stops []Stop
	// Baseline is what is to be stored of rule sets: in the order in which they came.
	Baseline []RuleSet
	Counts   Counts
	// Again is when time alone may change something; zero if it cannot.
	Again time.Time
}

// Decision is what is to be done with one node.
type Decision struct {
	Node string
	UID  types.UID
	// Leave is whether the node is left alone altogether, its conditions too: it is
	// paused, or a policy is not understood, or no policy warns or enforces anything
	// there and nothing of ours is on it.
	Leave bool

	Verdict Verdict
	// Controls are those that make the verdict, sorted.
	Controls []control.ID
	// Taints are those of ours that the node is to carry; those of others stay. A taint
	// that stays is as it is on the node, its time included.
	Taints []corev1.Taint
	// Added and Removed are the differences to what it carries, of ours.
	Added, Removed []corev1.Taint
	// Held is why a taint that is due is not set, or why one that could go stays; empty
	// if neither is.
	Held Hold
	// HeldDetail says it in words, for a person.
	HeldDetail string
	// Conditions are those to be stored if they are different from what is: with their
	// last transition, without the time of the heartbeat. ConditionStale is absent
	// where it was never stored and the report is fresh.
	Conditions []corev1.NodeCondition
}

// Verdict is what is thought of a node. As the reason of ConditionCompliant it is
// stored with the node.
type Verdict string

// The verdicts.
const (
	// Compliant nodes fail nothing that is warned of or enforced.
	Compliant Verdict = "Compliant"
	// Warned nodes fail something that is warned of and nothing that is enforced.
	Warned Verdict = "Warned"
	// Drifted nodes fail something that is enforced.
	Drifted Verdict = "Drifted"
	// Unverified nodes have no verdict yet: no report, or one that could not tell.
	Unverified Verdict = "Unverified"
	// NotEnforced nodes are those for which no policy warns or enforces anything.
	NotEnforced Verdict = "NotEnforced"
)

// Hold is why something is not done.
type Hold string

// The holds. All but the last two hold back a taint; Clearing and Dwelling hold back
// its removal.
const (
	HoldPaused        Hold = "Paused"
	HoldMisunderstood Hold = "PolicyNotUnderstood"
	HoldGrace         Hold = "GracePeriod"
	HoldBaseline      Hold = "NewRuleSet"
	HoldCorrelation   Hold = "CorrelationStop"
	HoldControlPlane  Hold = "ControlPlane"
	HoldCluster       Hold = "ClusterBudget"
	HoldPool          Hold = "PoolBudget"
	HoldLast          Hold = "LastSchedulableNode"
	HoldClearing      Hold = "ClearAfter"
	HoldDwelling      Hold = "MinimumDwell"
)

// Safety is whether the hold is there for the sake of the cluster, and not only for
// some time.
func (h Hold) Safety() bool {
	switch h {
	case HoldBaseline, HoldCorrelation, HoldCluster, HoldPool, HoldLast:
		return true
	case HoldPaused, HoldMisunderstood, HoldGrace, HoldControlPlane, HoldClearing, HoldDwelling:
	}
	return false
}

// Stop is a control that too many nodes fail.
type Stop struct {
	Control control.ID
	// Failing of Nodes that are judged by it fail.
	Failing, Nodes int
}

// StaleReport stands for silent agents where a policy makes them a failure.
const StaleReport control.ID = "report-stale"

// Counts are of the fleet.
type Counts struct {
	Total, Compliant, Warned, Drifted, Unverified, NotEnforced int
	// Stale nodes are those whose agents are silent.
	Stale int
	// Tainted nodes carry the taint of drifted nodes that keeps pods away, once the
	// decisions are carried out; Held ones should and do not.
	Tainted, Untrusted, Held int
	// Schedulable nodes are what budgets are counted against. Limit is the lowest limit
	// for the cluster of any policy that enforces something, Used how many count.
	Schedulable, Limit, Used int
	// Holds has how many are held, by reason.
	Holds map[Hold]int
}
