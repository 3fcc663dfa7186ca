package roster

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/key"
	"github.com/hardgate-dev/hardgate/taint/ruling"
)

// View is what is known at one time. What it holds is not changed afterwards.
type View struct {
	// Fleet is without a baseline, which the roster does not know.
	Fleet taint.Fleet
	// Nodes are those of the fleet, by name.
	Nodes map[string]*taint.Node
	// Orders are missing in reports.
	Orders []Order
	// Unsure are the nodes of which it is not known whether their taints were written,
	// and at which nobody is.
	Unsure map[string]bool
}

// View returns what is known now.
func (r *Roster) View() View {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rules == nil {
		c := compile(r.policies, r.exemptions)
		r.rules = &c
		for _, e := range r.entries {
			e.built = nil
		}
	}
	v := View{
		Fleet: taint.Fleet{
			Policies: r.rules.book, Exemptions: r.rules.exemptions, Misunderstood: r.rules.misunderstood, Paused: r.paused,
			Nodes: make([]*taint.Node, 0, len(r.entries)),
		},
		Nodes: make(map[string]*taint.Node, len(r.entries)), Unsure: map[string]bool{},
	}
	for name, e := range r.entries {
		if e.node == nil {
			continue
		}
		if e.built == nil {
			e.built, e.order = r.build(e, r.rules.book)
		}
		v.Fleet.Nodes = append(v.Fleet.Nodes, e.built)
		v.Nodes[name] = e.built
		if e.order != nil {
			v.Orders = append(v.Orders, *e.order)
		}
		if e.write != nil && !e.write.open {
			v.Unsure[name] = true
		}
	}
	return v
}

// build makes what the planner gets of a node.
func (r *Roster) build(e *entry, book *ruling.Book) (*taint.Node, *Order) {
	n := &taint.Node{
		Name: e.node.Name, UID: e.node.UID, Labels: labels.Set(e.node.Labels), Created: e.node.CreationTimestamp.Time,
		Pool: poolOf(e.node, r.PoolLabels), ControlPlane: isControlPlane(e.node),
		Ready: condition(e.node, corev1.NodeReady).Status == corev1.ConditionTrue, Cordoned: e.node.Spec.Unschedulable,
		Taints:    e.node.Spec.Taints,
		Compliant: condition(e.node, taint.ConditionCompliant), Stale: condition(e.node, taint.ConditionStale),
		Heard: latest(e.beat.of(e.node.UID), e.spoke.of(e.node.UID)), Lease: duration(e.lease),
	}
	_, n.Paused = e.node.Annotations[v1alpha1.PauseAnnotation]
	if e.write != nil {
		n.Taints = both(n.Taints, e.write.taints)
	}
	if e.report == nil || ownerUID(e.report.OwnerReferences, e.report.Name) != n.UID {
		return n, nil
	}
	rules := book.For(n.Labels)
	var order *Order
	n.Report, order = e.report.reading(rules.Benchmarks, rules.UnnecessaryModules)
	return n, order
}

// both are the taints of a node and those of ours that it may carry besides. Of one
// key and effect there can be only one: that which is being written.
func both(has, more []corev1.Taint) []corev1.Taint {
	list := slices.DeleteFunc(slices.Clone(has), func(h corev1.Taint) bool {
		return key.Ours(h.Key) && slices.ContainsFunc(more, func(m corev1.Taint) bool { return m.MatchTaint(&h) })
	})
	return append(list, more...)
}
