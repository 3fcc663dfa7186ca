package controller

import (
	"errors"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/taint"
)

// maxMessage bounds what a condition says.
const maxMessage = 2048

// status is what the ClusterReport is to say of an outcome, but for the times of its
// conditions' transitions.
func status(out taint.Outcome, fleet taint.Fleet) v1alpha1.ClusterReportStatus {
	c := &out.Counts
	s := v1alpha1.ClusterReportStatus{
		Conditions: []metav1.Condition{stopped(out.Stops), understood(fleet.Misunderstood), exhausted(c), paused(fleet.Paused)},
		Nodes: v1alpha1.NodeCounts{
			Total: int32(c.Total), Compliant: int32(c.Compliant), Warned: int32(c.Warned), Drifted: int32(c.Drifted),
			Unknown: int32(c.Unverified + c.NotEnforced),
			Stale:   int32(c.Stale), Tainted: int32(c.Tainted), Unverified: int32(c.Untrusted), Held: int32(c.Held),
		},
	}
	for _, r := range out.Baseline {
		s.RuleSets = append(s.RuleSets, v1alpha1.AcceptedRuleSet{
			AgentVersion: r.AgentVersion, RuleSet: r.RuleSet, Orders: r.Orders, FirstSeen: metav1.NewTime(r.FirstSeen), Accepted: r.Accepted,
		})
	}
	return s
}

// stopping begins the message of a stop, with the controls that it is about.
const stopping = "Nobody new is tainted because of "

func stopped(stops []taint.Stop) metav1.Condition {
	if len(stops) == 0 {
		return metav1.Condition{
			Type: v1alpha1.ConditionCorrelationStop, Status: metav1.ConditionFalse, Reason: "BelowLimit",
			Message: "No enforced control is failed by more nodes than the policies allow.",
		}
	}
	var ids, counts []string
	for _, s := range stops {
		ids = append(ids, string(s.Control))
		counts = append(counts, fmt.Sprintf("%d of %d nodes fail %s", s.Failing, s.Nodes, s.Control))
	}
	return metav1.Condition{
		Type: v1alpha1.ConditionCorrelationStop, Status: metav1.ConditionTrue, Reason: "TooManyNodesFail",
		Message: cut(stopping + strings.Join(ids, ", ") + ". The rule or the image must be at fault: " + strings.Join(counts, ", ") + "."),
	}
}

func understood(misunderstood []error) metav1.Condition {
	if len(misunderstood) == 0 {
		return metav1.Condition{
			Type: v1alpha1.ConditionPoliciesUnderstood, Status: metav1.ConditionTrue, Reason: "AllUnderstood",
			Message: "All NodePolicies, and all Exemptions of nodes, are understood.",
		}
	}
	return metav1.Condition{
		Type: v1alpha1.ConditionPoliciesUnderstood, Status: metav1.ConditionFalse, Reason: "NotUnderstood",
		Message: cut("No taint is set or removed: " + strings.ReplaceAll(errors.Join(misunderstood...).Error(), "\n", "; ")),
	}
}

func exhausted(c *taint.Counts) metav1.Condition {
	n := c.Holds[taint.HoldCluster] + c.Holds[taint.HoldPool] + c.Holds[taint.HoldLast]
	if n == 0 {
		return metav1.Condition{
			Type: v1alpha1.ConditionBudgetExhausted, Status: metav1.ConditionFalse, Reason: "RoomLeft",
			Message: "Every node that should be tainted has found room in the budgets.",
		}
	}
	return metav1.Condition{
		Type: v1alpha1.ConditionBudgetExhausted, Status: metav1.ConditionTrue, Reason: "NodesHeld",
		Message: fmt.Sprintf("%d nodes should be tainted and are not: %d of the cluster are, of at most %d; %d wait for their pool, %d are the last of theirs.",
			n, c.Used, c.Limit, c.Holds[taint.HoldPool], c.Holds[taint.HoldLast]),
	}
}

func paused(why string) metav1.Condition {
	if why == "" {
		return metav1.Condition{
			Type: v1alpha1.ConditionPaused, Status: metav1.ConditionFalse, Reason: "NotPaused", Message: "Nothing pauses the controller as a whole.",
		}
	}
	return metav1.Condition{
		Type: v1alpha1.ConditionPaused, Status: metav1.ConditionTrue, Reason: "Annotated",
		Message: "No taint is set or removed: paused by " + why + ".",
	}
}

func cut(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage-len(" …")], "") + " …"
}
