package controller

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/key"
)

// The reasons of Events on Nodes.
const (
	eventDrifted   = "HardeningDrifted"
	eventWarned    = "HardeningWarned"
	eventVerified  = "HardeningVerified"
	eventTainted   = "HardeningTainted"
	eventUntainted = "HardeningUntainted"
)

// maxNamed is how many controls an Event names.
const maxNamed = 8

// nodeRef is what an Event on a node is about. Nothing is read for it: the decision has
// name and UID.
func nodeRef(d *taint.Decision) *corev1.ObjectReference {
	return &corev1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: d.Node, UID: d.UID}
}

// tellTaints makes the Event of taints that were written.
func (c *Controller) tellTaints(d *taint.Decision) {
	switch {
	case len(d.Added) > 0:
		c.Events.Event(nodeRef(d), corev1.EventTypeWarning, eventTainted, "Tainted "+names(d.Added)+": "+because(d))
	case len(d.Removed) > 0:
		c.Events.Event(nodeRef(d), corev1.EventTypeNormal, eventUntainted, "No longer tainted "+names(d.Removed)+": "+because(d))
	}
}

// because says in words why a node has the verdict that it has.
func because(d *taint.Decision) string {
	switch d.Verdict {
	case taint.Drifted:
		return "it fails " + list(d.Controls) + "."
	case taint.Warned:
		return "it fails " + list(d.Controls) + ", which is warned of."
	case taint.Unverified:
		if len(d.Conditions) > 0 { // which says what could not be told
			return d.Conditions[0].Message
		}
		return "it has not been checked."
	case taint.Compliant:
		return "nothing fails that is enforced or warned of."
	case taint.NotEnforced:
		return "no NodePolicy warns or enforces anything here."
	}
	return string(d.Verdict)
}

// tellVerdict makes the Event of a verdict that was written, if it is another one than
// before or for other controls. While so many nodes fail one control that nobody is
// tainted, there is one Event for all of them on the ClusterReport.
func (c *Controller) tellVerdict(d *taint.Decision, before corev1.NodeCondition) {
	if len(d.Conditions) == 0 || d.Held == taint.HoldCorrelation {
		return
	}
	now := d.Conditions[0]
	if now.Reason == before.Reason && culprits(now.Message) == culprits(before.Message) {
		return
	}
	switch d.Verdict {
	case taint.Drifted:
		text := "Fails " + list(d.Controls) + ", which NodePolicies enforce."
		if d.HeldDetail != "" {
			text += " " + d.HeldDetail
		}
		c.Events.Event(nodeRef(d), corev1.EventTypeWarning, eventDrifted, text)
	case taint.Warned:
		c.Events.Event(nodeRef(d), corev1.EventTypeWarning, eventWarned, "Fails "+list(d.Controls)+", which NodePolicies warn of.")
	case taint.Compliant:
		switch taint.Verdict(before.Reason) {
		case taint.Drifted, taint.Warned, taint.Unverified:
			c.Events.Event(nodeRef(d), corev1.EventTypeNormal, eventVerified, "Nothing fails that is enforced or warned of.")
		case taint.Compliant, taint.NotEnforced: // nothing was wrong, so that nothing is news
		}
	case taint.Unverified, taint.NotEnforced:
	}
}

// culprits are the controls that a condition's message begins with.
func culprits(message string) string {
	first, _, _ := strings.Cut(message, ". ")
	return first
}

// list names controls, so many that an Event can hold them.
func list(controls []control.ID) string {
	var b strings.Builder
	for i, id := range controls {
		switch {
		case i == maxNamed:
			fmt.Fprintf(&b, " and %d more", len(controls)-i)
			return b.String()
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(string(id))
	}
	return b.String()
}

// names are taints as people write them.
func names(taints []corev1.Taint) string {
	var list []string
	for _, t := range taints {
		if key.Ours(t.Key) {
			list = append(list, t.Key+":"+string(t.Effect))
		}
	}
	return strings.Join(list, ", ")
}
