package controller

import (
	"context"
	"errors"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/controller/roster"
	"github.com/hardgate-dev/hardgate/taint/key"
)

// plan plans for the fleet as it is known now, and puts what differs on the agenda.
// since is when the first change was that the last plan has not seen. It returns when
// to plan again though nothing changes, by the API server's clock; zero for never.
func (c *Controller) plan(ctx context.Context, since time.Time) (again time.Time) {
	c.agenda.hold()
	view := c.Roster.View()
	view.Fleet.Baseline = c.baseline
	began, now, config := time.Now(), c.Now(), c.Config
	config.Ahead = now.Sub(began)
	out := taint.Plan(view.Fleet, config, now)
	if again = c.agenda.post(c.tasks(view, out.Decisions, since), began); !again.IsZero() {
		again = again.Add(config.Ahead)
	}
	c.Metrics.planned(out, len(view.Fleet.Misunderstood), time.Since(began))
	c.baseline = out.Baseline
	c.bulletin.offer(status(out, view.Fleet))
	c.complain(ctx, view.Fleet.Misunderstood)
	return soonest(again, out.Again)
}

// complain logs what is not understood, once.
func (c *Controller) complain(ctx context.Context, misunderstood []error) {
	err := errors.Join(misunderstood...)
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != "" && text != c.told {
		logf.FromContext(ctx).Error(err, "NodePolicies or Exemptions are not understood; no taint is set or removed")
	}
	c.told = text
}

// tasks are the differences between what was decided and what is.
func (c *Controller) tasks(v roster.View, decisions []taint.Decision, since time.Time) []task {
	var first, others, orders []task
	due := map[string]time.Time{}
	for i := range decisions {
		d := &decisions[i]
		if d.Leave {
			continue
		}
		n := v.Nodes[d.Node]
		changes := len(d.Added)+len(d.Removed) > 0 || v.Unsure[d.Node]
		if keepsAway(d.Added) {
			due[d.Node] = since
		}
		// One that is under way, or failed, has been due for longer.
		if old, ok := c.due[d.Node]; ok && (keepsAway(d.Added) || !keepsAway(d.Removed) && (v.Unsure[d.Node] || c.agenda.tainting(d.Node))) {
			due[d.Node] = old
		}
		if changes {
			first = append(first, task{kind: ofTaints, node: d.Node, decision: d, due: due[d.Node]})
		}
		if taint.Differ(d.Conditions, []corev1.NodeCondition{n.Compliant, n.Stale}) {
			t := task{kind: ofConditions, node: d.Node, decision: d}
			if changes { // they say why
				first = append(first, t)
			} else {
				others = append(others, t)
			}
		}
	}
	c.due = due
	for _, o := range v.Orders {
		orders = append(orders, task{kind: ofOrders, node: o.Node, order: o})
	}
	return slices.Concat(first, others, orders)
}

// keepsAway is whether there is a taint of drifted nodes among some that keeps pods
// away.
func keepsAway(taints []corev1.Taint) bool {
	return slices.ContainsFunc(taints, func(t corev1.Taint) bool {
		return key.IsDrifted(t.Key) && t.Effect != corev1.TaintEffectPreferNoSchedule
	})
}
