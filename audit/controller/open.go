package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/registration"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// open is what is enforced as long as the webhook answers: the API server does not refuse
// there what it cannot ask about.
type open struct {
	namespaces []string // in order
	// reason is one of those below, and why says it in words.
	reason, why string
}

// The reasons of the condition FailsClosed.
const (
	reasonClosed       = "Registered"
	reasonUnreached    = "WebhookNotReached"
	reasonNoRoom       = "TooManyNamespaces"
	reasonNotInstalled = "NotInstalled"
	reasonNotWritten   = "NotWritten"
	reasonPending      = "Pending"
)

// maxOpen is how many namespaces that fail open a condition names.
const maxOpen = 10

// tellOfOpen notes which of the namespaces in which something is enforced are not closed,
// and tells of them when their number or the reason changes. closed are in order.
func (c *Controller) tellOfOpen(ctx context.Context, s *state, closed []string, why open) {
	c.open = why
	for _, ns := range enforcing(s) {
		if _, closes := slices.BinarySearch(closed, ns); !closes && mayClose(s, ns) {
			c.open.namespaces = append(c.open.namespaces, ns)
		}
	}
	n := len(c.open.namespaces)
	c.Metrics.open.Set(float64(n))
	text := ""
	if n > 0 {
		text = fmt.Sprintf("%d: %s", n, why.why)
	}
	if text == c.told["open"] {
		return
	}
	if c.told["open"] = text; n > 0 {
		logf.FromContext(ctx).Info("namespaces are enforced and do not fail closed", "namespaces", n, "first", c.open.namespaces[0], "why", why.why)
	}
}

// mayClose is whether a namespace is to fail closed where something is enforced in it.
func mayClose(s *state, ns string) bool {
	return !registration.Vital(ns) && !slices.Contains(s.unasked, ns)
}

// conditions are those of a policy, by the namespaces in which it enforces something.
func (c *Controller) conditions(s *state, p *v1alpha1.WorkloadPolicy, enforces []string) []metav1.Condition {
	all := slices.Clone(p.Status.Conditions)
	if len(enforces) == 0 {
		meta.RemoveStatusCondition(&all, v1alpha1.ConditionFailsClosed)
		return all
	}
	fails := metav1.Condition{
		Type: v1alpha1.ConditionFailsClosed, Status: metav1.ConditionTrue, Reason: reasonClosed, ObservedGeneration: p.Generation,
		LastTransitionTime: metav1.Time{Time: s.now}, Message: "What is enforced is refused while no webhook answers.",
	}
	opened := slices.DeleteFunc(slices.Clone(enforces), func(ns string) bool {
		_, opens := slices.BinarySearch(c.open.namespaces, ns)
		return !opens
	})
	if len(opened) > 0 {
		named := strings.Join(opened[:min(len(opened), maxOpen)], ", ")
		if more := len(opened) - maxOpen; more > 0 {
			named += fmt.Sprintf(" and %d more", more)
		}
		fails.Status, fails.Reason, fails.Message = metav1.ConditionFalse, c.open.reason, "While no webhook answers, nothing is refused in "+named+": "+c.open.why
		if c.open.reason == "" {
			fails.Reason, fails.Message = reasonPending, "While no webhook answers, nothing is refused in "+named+" yet."
		}
	}
	meta.SetStatusCondition(&all, fails)
	return all
}

// enforcedBy are the namespaces that are to fail closed, by the policies that enforce
// something there.
func enforcedBy(s *state) map[string][]string {
	by := map[string][]string{}
	// Namespaces of one kind have one answer, and there are few kinds.
	sources := map[*ruling.Judged][]string{}
	for _, ns := range enforcing(s) {
		if !mayClose(s, ns) {
			continue
		}
		judged := s.book.For(ns, s.namespaces[ns].labels)
		names, known := sources[&judged[0]]
		if !known {
			names = enforcers(judged)
			sources[&judged[0]] = names
		}
		for _, name := range names {
			by[name] = append(by[name], ns)
		}
	}
	return by
}

// enforcers are the policies that enforce something by an answer.
func enforcers(judged []ruling.Judged) (names []string) {
	for _, j := range judged {
		for _, r := range j.Rulings {
			if r.Mode == control.Enforce && !slices.Contains(names, r.Source) {
				names = append(names, r.Source)
			}
		}
	}
	return names
}
