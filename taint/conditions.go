package taint

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/control"
)

// conditions are what is to be stored with a node. They say nothing that changes by
// itself: each difference is a write to the API server.
func (p *planner) conditions(a *aim) []corev1.NodeCondition {
	if !a.governed && a.Compliant.Type == "" {
		return nil
	}
	status := a.verdict.condition()
	if a.Report == nil && a.verdict == Compliant {
		status = corev1.ConditionUnknown // nothing says so any more
	}
	list := []corev1.NodeCondition{{
		Type: ConditionCompliant, Status: status, Reason: string(a.verdict), Message: p.message(a),
		LastTransitionTime: metav1.NewTime(a.since),
	}}
	if stale, say := p.staleness(a.state); say {
		list = append(list, stale)
	}
	return list
}

func (v Verdict) condition() corev1.ConditionStatus {
	switch v {
	case Compliant:
		return corev1.ConditionTrue
	case Warned, Drifted:
		return corev1.ConditionFalse
	case Unverified, NotEnforced:
	}
	return corev1.ConditionUnknown
}

// maxNamed is how many controls a message names that are not what it remembers.
const maxNamed = 10

func (p *planner) message(a *aim) string {
	see := "See kubectl get nodereport " + a.Name + " -o yaml."
	switch a.verdict {
	case Compliant:
		if a.Report == nil {
			return "There is no report; the last verdict stands."
		}
		return "Nothing fails that is enforced or warned of."
	case Warned:
		return failingMessage(a.controls, "They are warned of. "+see)
	case Drifted:
		rest := ""
		if a.held != "" && a.held != HoldPaused {
			rest = a.held.detail() + " "
		}
		return failingMessage(a.failing, rest+see)
	case Unverified:
		return p.unverifiedMessage(a.state)
	case NotEnforced:
		return "No NodePolicy warns or enforces anything here."
	}
	return ""
}

func (p *planner) unverifiedMessage(s *state) string {
	switch {
	case s.Report == nil:
		return "There is no report of the node's agent yet."
	case len(s.unknown) > 0:
		return "Could not be told: " + names(s.unknown) + ". See kubectl get nodereport " + s.Name + " -o yaml."
	}
	return "The agent has yet to judge by the policies of now."
}

func names(controls []control.ID) string {
	var list []string
	for _, id := range controls {
		if len(list) == maxNamed {
			list = append(list, "and more")
			break
		}
		list = append(list, string(id))
	}
	return strings.Join(list, ", ")
}

// staleness is the condition of an agent that is silent, or was.
func (p *planner) staleness(s *state) (c corev1.NodeCondition, say bool) {
	was := s.Stale.Status
	c = corev1.NodeCondition{Type: ConditionStale, LastTransitionTime: s.Stale.LastTransitionTime}
	switch {
	case s.silent && was == corev1.ConditionTrue, !s.silent && was == corev1.ConditionFalse:
		c.Status, c.Reason, c.Message = was, s.Stale.Reason, s.Stale.Message
		return c, true
	case s.silent:
		c.Status, c.Reason = corev1.ConditionTrue, "AgentSilent"
		c.Message = "Nothing was heard of the node's agent since " + s.heard.UTC().Format(time.RFC3339) + "; the last verdict stands."
		if s.Heard.IsZero() {
			c.Message = "Nothing was ever heard of an agent on this node."
		}
	case was == corev1.ConditionTrue:
		c.Status, c.Reason, c.Message = corev1.ConditionFalse, "AgentHeard", "The node's agent is heard of again."
	default:
		return c, false
	}
	c.LastTransitionTime = metav1.NewTime(p.now.Truncate(time.Second))
	return c, true
}

// Differ is whether storing the conditions would change anything on a node.
func Differ(want, has []corev1.NodeCondition) bool {
	return slices.ContainsFunc(want, func(w corev1.NodeCondition) bool {
		return !slices.ContainsFunc(has, func(h corev1.NodeCondition) bool {
			return h.Type == w.Type && h.Status == w.Status && h.Reason == w.Reason && h.Message == w.Message &&
				h.LastTransitionTime.Equal(&w.LastTransitionTime)
		})
	})
}

// detail says a hold in words.
func (h Hold) detail() string {
	switch h {
	case HoldPaused:
		return "Left alone: an annotation pauses it."
	case HoldMisunderstood:
		return "Left as it is: a NodePolicy or an Exemption is not understood."
	case HoldGrace:
		return "Not tainted yet: the grace period is not over."
	case HoldBaseline:
		return "Not tainted: the fleet has yet to be seen by this version of agent and rules."
	case HoldCorrelation:
		return "Not tainted: so many nodes fail one control that the rule or the image must be at fault."
	case HoldControlPlane:
		return "Not tainted: it is a control-plane node, and no policy asks for taints on those."
	case HoldCluster, HoldPool, HoldLast:
		// Which of them it is depends on who comes first, and would be stored anew.
		return "Not tainted: there is no room in the budget of the cluster or of its pool."
	case HoldClearing:
		return "The taint stays until the node has passed for some time."
	case HoldDwelling:
		return "The taint stays for its minimum time."
	}
	return ""
}
