package taint

import (
	"cmp"
	"slices"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/taint/ruling"
)

// leastCorrelated is how many nodes must fail before they are taken for more than
// chance: in a cluster of three, one is a third.
const leastCorrelated = 2

// stops finds the enforced controls that so many nodes of the fleet fail that the rule
// or the image must be at fault, and not the nodes.
//
// The share is of all nodes that have a report, or fail without one, not of those for
// which the control is enforced: otherwise a few nodes of a small pool could keep a whole
// cluster from being guarded.
func (p *planner) stops(states []*state) (stops []Stop) {
	reported := 0
	count := map[control.ID]int{}
	limits := map[control.ID][]ruling.Limit{}
	for _, s := range states {
		if s.Report == nil && len(s.enforced) == 0 {
			continue
		}
		reported++
		for _, id := range s.enforced {
			count[id]++
			limits[id] = appendNew(limits[id], s.rules.Budget.Correlation)
		}
	}
	for id, n := range count {
		if n < leastCorrelated {
			continue
		}
		if slices.ContainsFunc(limits[id], func(l ruling.Limit) bool { return l.Exceeded(n, reported) }) {
			stops = append(stops, Stop{Control: id, Failing: n, Nodes: reported})
		}
	}
	slices.SortFunc(stops, func(a, b Stop) int { return cmp.Compare(a.Control, b.Control) })
	return stops
}

// appendNew appends what is not there yet: the policies of a cluster have few limits,
// and its nodes are many.
func appendNew(list, more []ruling.Limit) []ruling.Limit {
	for _, l := range more {
		if !slices.Contains(list, l) {
			list = append(list, l)
		}
	}
	return list
}
