package taint

import (
	"cmp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/taint/key"
)

// newNode is how long a node counts as one that has just registered: the webhook that
// should have tainted it may have been away.
const newNode = 10 * time.Minute

// aim is what a node is to carry, before and after the limits that hold for all nodes.
type aim struct {
	*state
	has carried
	// effect is that of the taint of drifted nodes; empty for none.
	effect     corev1.TaintEffect
	unverified bool
	// wants is the effect that waits for a place in the budget, wantsCheck whether the
	// taint of nodes that have not been checked does.
	wants      corev1.TaintEffect
	wantsCheck bool
}

func (p *planner) decide(states []*state) []Decision {
	aims := make([]*aim, 0, len(states))
	var waiting []*aim
	for _, s := range states {
		a := p.aim(s)
		aims = append(aims, a)
		if a.wants != "" || a.wantsCheck {
			waiting = append(waiting, a)
		}
	}
	// Who has failed for longest comes first, so that the same nodes are chosen again.
	slices.SortStableFunc(waiting, func(a, b *aim) int { return a.since.Compare(b.since) })
	b := newBudget(states)
	for _, a := range waiting {
		if hold := b.take(a.state); hold != "" {
			a.held = hold
			continue
		}
		a.effect = cmp.Or(a.wants, a.effect)
		a.unverified = a.unverified || a.wantsCheck
	}
	decisions := make([]Decision, 0, len(aims))
	for _, a := range aims {
		decisions = append(decisions, p.decision(a))
	}
	return decisions
}

// aim finds what one node is to carry, as far as that does not depend on others.
func (p *planner) aim(s *state) *aim {
	a := &aim{state: s, has: carries(s.Taints)}
	current := a.has.drifted()
	a.effect, a.unverified = current, a.has.unverified
	want := wanted(s)
	wantCheck := a.has.unverified && s.rules.UntrustedUntilChecked && !s.clean
	addCheck := p.missed(a)
	if frozen := p.frozen(s); frozen != "" {
		if want != current || wantCheck != a.has.unverified {
			s.held = frozen
		}
		return a
	}
	if s.ControlPlane && !s.rules.ControlPlane {
		// Nobody asks for a taint, neither a new one nor what it has from before.
		if a.effect, a.unverified = "", false; want != "" || addCheck {
			s.held = HoldControlPlane
		}
		return a
	}
	a.unverified = wantCheck
	switch {
	case rank(want) > rank(current):
		if wantCheck {
			break // pods are kept away already
		}
		if s.held = p.barred(s); s.held != "" {
			break
		}
		if due := s.since.Add(s.rules.Grace); p.now.Before(due) {
			p.again(due)
			s.held = HoldGrace
			break
		}
		if rank(want) >= rank(corev1.TaintEffectNoSchedule) && !a.has.ours() {
			a.wants = want
		} else {
			a.effect = want
		}
	case rank(want) < rank(current):
		if s.held = p.lingers(s, current); s.held == "" {
			a.effect = want
		}
	}
	if addCheck {
		hold := p.barred(s)
		s.held, a.wantsCheck = cmp.Or(hold, s.held), hold == ""
	}
	return a
}

// missed is whether a node is new and should have been tainted when it registered.
func (p *planner) missed(a *aim) bool {
	end := a.Created.Add(newNode)
	p.again(end)
	return a.rules.UntrustedUntilChecked && !a.has.unverified && !a.has.hard && a.Report == nil &&
		a.verdict == Unverified && p.now.Before(end)
}

// frozen is why nothing at all is changed; empty if it may be.
func (p *planner) frozen(s *state) Hold {
	switch {
	case p.fleet.Paused != "", s.Paused, len(s.rules.Paused) > 0:
		return HoldPaused
	case len(p.fleet.Misunderstood) > 0:
		return HoldMisunderstood
	}
	return ""
}

// barred is why a node gets no new taint, whatever there is room for.
func (p *planner) barred(s *state) Hold {
	switch {
	case p.stopped:
		return HoldCorrelation
	// Silence is no verdict of a report: one who is silent cannot follow to other rules.
	case s.Report != nil && !slices.Contains(s.controls, StaleReport) && (!s.Report.Current || !p.accepted[s.ruleSet()]):
		return HoldBaseline
	}
	return ""
}

// lingers is why a taint that could go stays for some time.
func (p *planner) lingers(s *state, current corev1.TaintEffect) Hold {
	if s.verdict == Drifted || s.verdict == NotEnforced {
		return "" // the policy asks for another effect, or for nothing any more
	}
	if clear := s.since.Add(s.rules.ClearAfter); p.now.Before(clear) {
		p.again(clear)
		return HoldClearing
	}
	if t := existing(s.Taints, current); t != nil && t.TimeAdded != nil {
		dwell := t.TimeAdded.Add(s.rules.MinimumDwell)
		// A time that is to come was not written by the controller.
		if p.now.Before(dwell) && !p.now.Before(t.TimeAdded.Time) {
			p.again(dwell)
			return HoldDwelling
		}
	}
	return ""
}

// wanted is the effect that a verdict asks for.
func wanted(s *state) corev1.TaintEffect {
	switch s.verdict {
	case Drifted:
		return s.rules.Effect
	case Warned:
		return corev1.TaintEffectPreferNoSchedule
	case Compliant, Unverified, NotEnforced:
	}
	return ""
}

// rank orders effects by what they do to pods.
func rank(e corev1.TaintEffect) int {
	return slices.Index([]corev1.TaintEffect{"", corev1.TaintEffectPreferNoSchedule, corev1.TaintEffectNoSchedule, corev1.TaintEffectNoExecute}, e)
}

// drifted is the strongest effect that a node carries for having drifted.
func (c carried) drifted() corev1.TaintEffect {
	switch {
	case c.hard:
		return c.effect
	case c.soft:
		return corev1.TaintEffectPreferNoSchedule
	}
	return ""
}

// existing is the taint of drifted nodes with that effect; nil if there is none.
func existing(taints []corev1.Taint, effect corev1.TaintEffect) *corev1.Taint {
	for i := range taints {
		if key.IsDrifted(taints[i].Key) && taints[i].Effect == effect {
			return &taints[i]
		}
	}
	return nil
}

// decision writes down what a node is to carry and what is to be said of it.
func (p *planner) decision(a *aim) Decision {
	d := Decision{
		Node: a.Name, UID: a.UID, Verdict: a.verdict, Controls: a.controls,
		Held: a.held, HeldDetail: a.held.detail(),
		Leave: p.frozen(a.state) != "" || !a.governed && !a.has.any() && a.Compliant.Type == "",
	}
	d.Taints = p.taints(a)
	for _, t := range d.Taints {
		if !slices.ContainsFunc(a.Taints, func(o corev1.Taint) bool { return same(o, t) }) {
			d.Added = append(d.Added, t)
		}
	}
	for _, t := range a.Taints {
		if key.Ours(t.Key) && !slices.ContainsFunc(d.Taints, func(o corev1.Taint) bool { return same(o, t) }) {
			d.Removed = append(d.Removed, t)
		}
	}
	if !d.Leave {
		d.Conditions = p.conditions(a)
	}
	return d
}

// taints are those of ours that a node is to carry. What stays is left as it is.
func (p *planner) taints(a *aim) (list []corev1.Taint) {
	frozen := p.frozen(a.state) != ""
	for _, t := range a.Taints {
		if key.Ours(t.Key) && (frozen || key.IsUnverified(t.Key) && a.unverified) {
			list = append(list, t)
		}
	}
	if frozen {
		return list
	}
	now := metav1.NewTime(p.now.Truncate(time.Second))
	if a.unverified && !a.has.unverified {
		list = append(list, corev1.Taint{Key: p.cfg.UnverifiedKey, Effect: corev1.TaintEffectNoSchedule, TimeAdded: &now})
	}
	if a.effect == "" {
		return list
	}
	added := &now
	if old := existing(a.Taints, a.has.drifted()); old != nil && a.has.hard {
		if old.Key == p.cfg.DriftedKey && old.Effect == a.effect {
			return append(list, *old)
		}
		added = old.TimeAdded
	}
	for _, t := range a.Taints {
		if t.Key == p.cfg.DriftedKey && t.Effect == a.effect {
			return append(list, t)
		}
	}
	return append(list, corev1.Taint{Key: p.cfg.DriftedKey, Effect: a.effect, TimeAdded: added})
}

// any is whether it carries a taint of ours.
func (c carried) any() bool { return c.soft || c.hard || c.unverified }

// same is whether two taints are one and the same to the API server.
func same(a, b corev1.Taint) bool {
	return a.Key == b.Key && a.Value == b.Value && a.Effect == b.Effect && a.TimeAdded.Equal(b.TimeAdded)
}
