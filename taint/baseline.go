package taint

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/hardgate-dev/hardgate/taint/ruling"
)

// settled is when a rule set counts though not every node has been seen by it: half of
// them suffice then. Without it, one node whose agent cannot be replaced would keep all
// others from ever being tainted.
const settled = time.Hour

// maxBaseline bounds what is stored: nodes can claim any version.
const maxBaseline = 64

// baseline finds out which rule sets the fleet has been seen by. A wrong rule shows
// when all nodes are judged by it, and not before: until then it taints nobody.
func (p *planner) baseline(states []*state) []RuleSet {
	seen := map[RuleSetID]int{}
	orders := map[RuleSetID]map[string]bool{} // what the nodes that report it are asked for
	expected := map[string]int{}              // by that, the nodes whose agents live
	asked := map[*ruling.Rules]string{}
	for _, s := range states {
		if !s.governed || !s.Ready || s.silent {
			continue
		}
		key, ok := asked[s.rules]
		if !ok {
			key = strings.Join(s.rules.Benchmarks, ",") + ";" + strings.Join(s.rules.UnnecessaryModules, ",")
			asked[s.rules] = key
		}
		expected[key]++
		if s.Report == nil || !s.Report.Current {
			continue
		}
		id := s.Report.RuleSet
		seen[id]++
		if orders[id] == nil {
			orders[id] = map[string]bool{}
		}
		orders[id][key] = true
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
		of := 0
		for key := range orders[r.RuleSetID] {
			of += expected[key]
		}
		old := r.FirstSeen.Add(settled)
		p.again(old)
		n := seen[r.RuleSetID]
		r.Accepted = n == of || 2*n >= of && !p.now.Before(old)
	}
	slices.SortFunc(list, func(a, b RuleSet) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), cmp.Compare(a.AgentVersion, b.AgentVersion), cmp.Compare(a.RuleSet, b.RuleSet))
	})
	list = bounded(list, seen)
	p.accepted = map[RuleSetID]bool{}
	for _, r := range list {
		p.accepted[r.RuleSetID] = r.Accepted
	}
	return list
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
