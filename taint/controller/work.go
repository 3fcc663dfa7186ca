package controller

import (
	"context"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/controller/patch"
	"github.com/hardgate-dev/hardgate/taint/controller/roster"
)

// work carries out tasks of a kind until the agenda is closed.
func (c *Controller) work(ctx context.Context, k kind, limit *rate.Limiter) {
	// What is begun is ended: a request that is cut off may have come to pass.
	writing := context.WithoutCancel(ctx)
	for {
		if limit.Wait(ctx) != nil {
			return
		}
		t, ok := c.agenda.take(k, c.begin)
		if !ok {
			return
		}
		c.carryOut(writing, &t)
	}
}

// begin makes the roster count what is about to be written, if anything may be.
func (c *Controller) begin(t *task) bool {
	if c.May() != nil {
		return false // the loop ends as well, and says why
	}
	if t.kind == ofTaints {
		t.base, t.unsure = c.Roster.BeginTaints(t.node, t.decision.UID, t.decision.Taints)
	}
	return true
}

func (c *Controller) carryOut(ctx context.Context, t *task) {
	var result patch.Result
	var err error
	switch t.kind {
	case ofTaints:
		result, err = c.taints(ctx, t)
	case ofConditions:
		result, err = c.conditions(ctx, t)
	case ofOrders:
		result, err = c.order(ctx, t)
	}
	ok := result != patch.Refused && result != patch.Unknown && result != patch.Gone
	c.agenda.done(*t, ok, time.Now())
	c.Metrics.wrote(t.kind.String(), result)
	if err != nil {
		log := logf.FromContext(ctx).WithValues("node", t.node)
		if result == patch.Gone {
			log.V(1).Info("the node has gone", "cause", err.Error())
			return
		}
		log.Error(err, "writing; tried again later", "what", t.kind.String(), "result", string(result))
	}
	if !ok {
		c.changes.note() // so that a plan says when to try again
	}
}

func (c *Controller) taints(ctx context.Context, t *task) (patch.Result, error) {
	if t.base == nil {
		return patch.Unneeded, nil // it is gone, and the next plan is without it
	}
	d := t.decision
	o := c.writer.Taints(ctx, t.base, d, t.unsure)
	c.Metrics.conflicts.Add(float64(o.Conflicts))
	if o.Result == patch.Unknown {
		c.Roster.DoubtTaints(t.node, d.UID, o.Base)
		return o.Result, o.Err
	}
	c.Roster.EndTaints(t.node, d.UID, o.Node)
	if o.Result != patch.Written {
		return o.Result, o.Err
	}
	log := logf.FromContext(ctx)
	if keepsAway(d.Added) && !keepsAway(d.Removed) {
		took := time.Since(t.due)
		c.Metrics.latency.Observe(took.Seconds())
		log = log.WithValues("took", took.String())
	}
	log.Info("taints written", "node", t.node, "verdict", string(d.Verdict), "controls", d.Controls,
		"added", names(d.Added), "removed", names(d.Removed))
	c.tellTaints(d)
	return o.Result, nil
}

func (c *Controller) conditions(ctx context.Context, t *task) (patch.Result, error) {
	d := t.decision
	n := c.Roster.Node(t.node, d.UID)
	if n == nil {
		return patch.Unneeded, nil
	}
	before := roster.Conditions(n)
	if !differ(d.Conditions, before) {
		return patch.Unneeded, nil
	}
	o := c.writer.Conditions(ctx, d, c.Now())
	if o.Result == patch.Written {
		c.Roster.Saw(o.Node)
		c.tellVerdict(d, before[0])
	}
	return o.Result, o.Err
}

// differ is taint.Differ, but for a transition that was stored since by an earlier plan
// than this one: the earlier time is the true one.
func differ(want, has []corev1.NodeCondition) bool {
	var left []corev1.NodeCondition
	for _, w := range want {
		for _, h := range has {
			if h.Type == w.Type && h.Status == w.Status && h.Reason == w.Reason && h.LastTransitionTime.Before(&w.LastTransitionTime) {
				w.LastTransitionTime = h.LastTransitionTime
			}
		}
		left = append(left, w)
	}
	return taint.Differ(left, has)
}

func (c *Controller) order(ctx context.Context, t *task) (patch.Result, error) {
	report, result, err := c.writer.Order(ctx, t.order)
	if result == patch.Written {
		c.Roster.SawReport(report)
		logf.FromContext(ctx).V(1).Info("other rules asked of an agent", "node", t.node,
			"benchmarks", t.order.Spec.Benchmarks, "modules", len(t.order.Spec.UnnecessaryModules))
	}
	return result, err
}
