package taint

import (
	"cmp"
	"slices"
	"time"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/taint/ruling"
)

// planner is one call of Plan.
type planner struct {
	fleet      Fleet
	cfg        Config
	now        time.Time
	exemptions map[control.ID][]*ruling.Exemption
	moded      map[*ruling.Rules][]moded
	next       time.Time // the earliest time that again was told
	stopped    bool
	accepted   map[RuleSetID]bool
}

// Plan decides for every node of a fleet which of our taints it carries, and what is
// to be said of it. It is pure: the same arguments give the same outcome, and carrying
// that out and planning again changes nothing more at the same time.
//
// Whoever carries it out must see what it wrote before it plans again: budgets are
// counted by the taints that the nodes carry.
func Plan(fleet Fleet, cfg Config, now time.Time) Outcome {
	p := &planner{fleet: fleet, cfg: cfg, now: now, exemptions: exemptionsByControl(fleet.Exemptions), moded: map[*ruling.Rules][]moded{}}
	if p.fleet.Policies == nil {
		p.fleet.Policies = &ruling.Book{}
	}
	for i := range fleet.Exemptions {
		p.again(fleet.Exemptions[i].Expires)
	}
	states := make([]*state, 0, len(fleet.Nodes))
	for _, n := range fleet.Nodes {
		states = append(states, p.judge(n))
	}
	slices.SortFunc(states, func(a, b *state) int { return cmp.Compare(a.Name, b.Name) })
	out := Outcome{Baseline: p.baseline(states), Stops: p.stops(states)}
	p.stopped = len(out.Stops) > 0
	out.Decisions = p.decide(states)
	out.Counts = p.count(states, out.Decisions)
	out.Again = p.next
	return out
}

// again notes a time at which something may change by itself.
func (p *planner) again(t time.Time) {
	if t.After(p.now) && (p.next.IsZero() || t.Before(p.next)) {
		p.next = t
	}
}

func (p *planner) count(states []*state, decisions []Decision) Counts {
	c := Counts{Total: len(states), Holds: map[Hold]int{}}
	for i, s := range states {
		switch s.verdict {
		case Compliant:
			c.Compliant++
		case Warned:
			c.Warned++
		case Drifted:
			c.Drifted++
		case Unverified:
			c.Unverified++
		case NotEnforced:
			c.NotEnforced++
		}
		// Nodes without an agent, which nothing is asked of, have nobody who could be silent:
		// other systems', or virtual ones.
		if s.silent && (s.governed || !s.Heard.IsZero()) {
			c.Stale++
		}
		d := &decisions[i]
		if d.Held != "" {
			c.Holds[d.Held]++
		}
		if d.Held.Safety() {
			c.Held++
		}
		has := carries(d.Taints)
		if has.hard {
			c.Tainted++
		}
		if has.unverified {
			c.Untrusted++
		}
		if has.ours() {
			c.Used++
		}
	}
	b := newBudget(states)
	c.Schedulable = b.cluster.base
	c.Limit = c.Schedulable
	for _, s := range states {
		for _, l := range s.rules.Budget.Cluster {
			c.Limit = min(c.Limit, l.Of(c.Schedulable))
		}
	}
	return c
}
