package taint

import (
	"cmp"
	"slices"
	"time"
)

// settled is when a rule set counts though not every node has been seen by it: half of
// them suffice then. Without it, one node whose agent cannot be replaced would keep all
// others from ever being tainted.
const settled = time.Hour

// maxBaseline bounds what is stored: nodes can claim any version.
const maxBaseline = 64

// baseline finds out which rule sets the fleet has been seen by. A wrong rule shows
// when all nodes are judged by it, and not before: until then it taints nobody.
//
// Nodes are seen beside those that are asked for the same. Which policies select a node
// can depend on labels that it sets itself: one that is alone by them must not speak for
// all, nor be missed by others.
func (p *planner) baseline(states []*state) []RuleSet {
	seen := map[RuleSetID]int{}
	expected := map[string]int{} // by orders, the nodes whose agents live
	for _, s := range states {
		if !s.governed || !s.Ready || s.silent {
			continue
		}
		expected[s.rules.Orders]++
		if s.current() {
			seen[s.ruleSet()]++
		}
	}
	var list []RuleSet
	known := map[RuleSetID]bool{}
	for _, r := range p.fleet.Baseline {
		// What the fleet has been seen by once stays known when it goes back to it.
		if (seen[r.RuleSetID] > 0 || r.Accepted) && !known[r.RuleSetID] {
			list = append(list, r)
			known[r.RuleSetID] = true
		}
	}
	for id := range seen {
		if !known[id] {
			list = append(list, RuleSet{RuleSetID: id, FirstSeen: p.now.Truncate(time.Second)})
		}
	}
	for i := range list {
		r := &list[i]
		if r.Accepted {
			continue
		}
		old := r.FirstSeen.Add(settled)
		p.again(old)
		n, of := seen[r.RuleSetID], expected[r.Orders]
		r.Accepted = n == of || 2*n >= of && !p.now.Before(old)
	}
	slices.SortFunc(list, func(a, b RuleSet) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), cmp.Compare(a.AgentVersion, b.AgentVersion), cmp.Compare(a.RuleSet, b.RuleSet), cmp.Compare(a.Orders, b.Orders))
	})
	list = bounded(list, seen)
	p.accepted = map[RuleSetID]bool{}
	for _, r := range list {
		p.accepted[r.RuleSetID] = r.Accepted
	}
	return list
}

// ruleSet is that of the node's report, and what it was asked for.
func (s *state) ruleSet() RuleSetID {
	id := s.Report.RuleSet
	id.Orders = s.rules.Orders
	return id
}

// bounded drops the oldest that nobody reports, and of the others those that the
// fewest report.
func bounded(list []RuleSet, seen map[RuleSetID]int) []RuleSet {
	for len(list) > maxBaseline {
		drop := 0
		for i, r := range list {
			if seen[r.RuleSetID] < seen[list[drop].RuleSetID] {
				drop = i
			}
		}
		list = slices.Delete(list, drop, drop+1)
	}
	return list
}
