package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/rollout"
	"github.com/hardgate-dev/hardgate/webhook/verdict"
)

// round does once all that there is to do, and says when to do it again.
func (c *Controller) round(ctx context.Context, now time.Time) (time.Duration, error) {
	c.late, c.more = map[string]bool{}, false
	s, err := c.read(ctx, now)
	if err != nil {
		return c.Options.Tick, err
	}
	if err := c.skewed(now); err != nil { // what fails closed goes by no time
		return c.Options.Tick, errors.Join(err, c.follow(ctx, s))
	}
	s.now, s.began = c.clock.Now(), time.Now() // the first round has begun before any answer
	c.tellOfMissing(ctx, s)
	if len(s.missing) > 0 { // what is decided could not be written down
		return c.Options.Tick, c.follow(ctx, s)
	}
	c.tellOfMisunderstood(ctx, s)
	if c.last == nil || s.spec != c.judgedBy || now.Sub(c.last.Finished).Abs() >= c.Options.Interval {
		if err := c.audit(ctx, s); err != nil {
			return c.Options.Tick, err
		}
	}
	in := c.in(ctx, s)
	out := rollout.Plan(in, now)
	if len(out.Proposals) > 0 {
		if in.Frozen = c.frozen(ctx, s, true); in.Frozen == "" {
			c.confirm(ctx, s, &in, out.Proposals)
		}
		out = rollout.Plan(in, now)
	}
	err = c.write(ctx, s, &out)
	wait := c.Options.Tick
	switch {
	case len(c.late) > 0, c.more:
		wait = time.Second
	case !out.Again.IsZero():
		wait = max(time.Second, min(wait, out.Again.Sub(now)))
	}
	return wait, err
}

// audit judges all that is there.
func (c *Controller) audit(ctx context.Context, s *state) error {
	log := logf.FromContext(ctx)
	result, err := audit.Pass(ctx, c.Config, c.auditing(ctx, s))
	if err != nil {
		return err
	}
	c.last, c.judgedBy = result, s.spec
	c.Metrics.audited(result)
	log.Info("audited", "objects", result.Objects, "namespaces", len(result.Namespaces)-1, "missed", len(result.Missed),
		"took", result.Finished.Sub(result.Started).String())
	for _, m := range result.Missed {
		log.Error(m.Err, "a resource could not be audited", "resource", m.Resource)
	}
	return nil
}

func (c *Controller) auditing(ctx context.Context, s *state) audit.Options {
	// A server that is off may answer meanwhile: time goes on from what was found good.
	now := func() time.Time { return s.now.Add(time.Since(s.began)) }
	o := audit.Options{Book: s.book, Exemptions: s.exempt, Own: c.Options.Namespaces, Now: now}
	if log := logf.FromContext(ctx).V(1); log.Enabled() {
		o.Log = func(namespace, object string, d *verdict.Decision, v *verdict.Violation) {
			log.Info("finding", "namespace", namespace, "object", object, "control", d.ID, "mode", v.Mode.String(),
				"path", v.Path, "detail", v.Detail, "exemption", v.Exemption)
		}
	}
	return o
}

// in is what rollouts are planned by.
func (c *Controller) in(ctx context.Context, s *state) rollout.In {
	in := rollout.In{
		Policies: s.policies, Unread: s.unread, Unasked: s.unasked, Namespaces: map[string]rollout.Namespace{}, Reports: map[string]v1alpha1.NamespaceReportStatus{},
		Confirmed: map[string]bool{}, Frozen: c.frozen(ctx, s, false), Heartbeat: heartbeat(s),
		Audit: rollout.Audit{
			Started: c.last.Started, Finished: c.last.Finished, Complete: len(c.last.Missed) == 0, Current: c.judgedBy == s.spec,
			Fresh: 3 * c.Options.Interval, Cells: map[string]map[control.ID]rollout.Count{},
		},
	}
	for name, ns := range s.namespaces {
		in.Namespaces[name] = rollout.Namespace{Labels: ns.labels, Created: ns.created}
	}
	for name, r := range s.reports {
		in.Reports[name] = r.Status
	}
	for name, sum := range c.last.Namespaces {
		in.Audit.Cells[name] = cells(sum)
	}
	return in
}

// heartbeat is the webhook's; nil where none was ever heard of.
func heartbeat(s *state) *v1alpha1.Heartbeat {
	if r := s.reports[""]; r != nil {
		return r.Status.Heartbeat
	}
	return nil
}

func cells(sum *audit.Summary) map[control.ID]rollout.Count {
	all := make(map[control.ID]rollout.Count, len(sum.Controls))
	for id, t := range sum.Controls {
		if t.Failing > 0 || t.Exempt > 0 {
			all[id] = rollout.Count{Violations: t.Failing, Exempt: t.Exempt, Owners: t.Owners}
		}
	}
	return all
}

// frozen says why nothing may be promoted. due is whether something is to be, right now.
func (c *Controller) frozen(ctx context.Context, s *state, due bool) string {
	unreached := c.reached(ctx, s.now, due)
	switch {
	case len(s.misunderstood) > 0:
		return "a WorkloadPolicy or an Exemption is not understood"
	case c.paused(ctx):
		return "the namespace " + c.Options.Namespaces[0] + " is annotated to pause"
	case unreached != nil:
		return "the API server does not reach the webhook: " + unreached.Error()
	}
	return ""
}

// confirming is what a round may take to confirm: what it decides by gets old meanwhile.
// What is left is for the next.
const confirming = 20 * time.Second

// confirm audits once more, right now, the namespaces in which something is to be
// promoted. One that cannot be read is not promoted, and none is where somebody has changed
// a policy or an Exemption meanwhile, or wants a pause.
func (c *Controller) confirm(ctx context.Context, s *state, in *rollout.In, proposals []rollout.Promotion) {
	c.look(ctx, s, in, proposals, time.Now().Add(confirming))
	if !c.stands(ctx, s) {
		c.more = true
		clear(in.Confirmed)
	}
}

func (c *Controller) look(ctx context.Context, s *state, in *rollout.In, proposals []rollout.Promotion, until time.Time) {
	for _, p := range proposals {
		if _, done := in.Confirmed[p.Namespace]; done {
			continue
		}
		if len(in.Confirmed) > 0 && time.Now().After(until) {
			c.more = true
			return
		}
		sum, err := audit.Namespace(ctx, c.Config, p.Namespace, c.auditing(ctx, s))
		in.Confirmed[p.Namespace] = err == nil
		if err != nil {
			logf.FromContext(ctx).Error(err, "not promoted", "namespace", rollout.Place(p.Namespace))
			continue
		}
		c.last.Namespaces[p.Namespace] = sum
		in.Audit.Cells[p.Namespace] = cells(sum)
	}
}

// write writes what has been decided. Modes come first: the webhook goes by them.
func (c *Controller) write(ctx context.Context, s *state, out *rollout.Out) error {
	want := map[string]v1alpha1.NamespaceReportStatus{}
	for name := range s.namespaces {
		want[name] = c.wanted(s, name, c.last.Namespaces[name], out.Controls[name])
	}
	want[""] = c.wanted(s, "", c.last.Namespaces[""], out.Controls[""])
	c.tellOfAhead(ctx, out.Ahead)
	for name, admission := range out.Ahead {
		status := want[name]
		status.Admission = admission
		want[name] = status
	}
	err := c.writeReports(ctx, s, want)
	// What it follows had been reached before: it waits for no report that cannot be written.
	followed := wrap("following what is enforced", c.follow(ctx, s))
	if err == nil { // else what would be said of it might not be so
		written := slices.DeleteFunc(slices.Clone(out.Promoted), func(p rollout.Promotion) bool { return c.late[p.Namespace] })
		c.tellOfPromotions(s, written)
		// In a large cluster some report is always late: what is said waits for promotions alone.
		if len(written) == len(out.Promoted) {
			c.Metrics.modes(out.Modes)
			err = c.writePolicies(ctx, s, out.Policies)
		}
	}
	c.expiring(s)
	return errors.Join(err, followed, wrap("writing the ClusterReport", c.writeCluster(ctx, s)))
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
