package taint

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/hardgate-dev/hardgate/taint/key"
	"github.com/hardgate-dev/hardgate/taint/ruling"
)

// budget counts what is tainted against what could be, in the cluster and in each of
// its pools.
type budget struct {
	cluster account
	pools   map[string]*account
}

// account is of the cluster or of one pool.
type account struct {
	// base are the nodes that are Ready and would be schedulable without our taint.
	base int
	// used are those that carry it, whether or not they are of the base.
	used int
	// free are those of the base that carry no taint.
	free int
}

func newBudget(states []*state) *budget {
	b := &budget{pools: map[string]*account{}}
	for _, s := range states {
		if b.pools[s.Pool] == nil {
			b.pools[s.Pool] = &account{}
		}
		has, able := carries(s.Taints), schedulable(s.Node)
		for _, a := range []*account{&b.cluster, b.pools[s.Pool]} {
			if able {
				a.base++
				if !has.ours() {
					a.free++
				}
			}
			if has.ours() {
				a.used++
			}
		}
	}
	return b
}

// schedulable is whether pods could be put on a node if it did not carry our taint. One
// that was tainted when it registered has never been part of what the cluster can do.
func schedulable(n *Node) bool {
	if !n.Ready || n.Cordoned || carries(n.Taints).registered {
		return false
	}
	for i := range n.Taints {
		t := &n.Taints[i]
		if !key.Ours(t.Key) && t.Effect != corev1.TaintEffectPreferNoSchedule {
			return false
		}
	}
	return true
}

// take gives a place to a node that is to be tainted, or says why there is none.
func (b *budget) take(s *state) Hold {
	pool := b.pools[s.Pool]
	for _, of := range []struct {
		*account
		limits []ruling.Limit
		hold   Hold
	}{{&b.cluster, s.rules.Budget.Cluster, HoldCluster}, {pool, s.rules.Budget.Pool, HoldPool}} {
		for _, l := range of.limits {
			if of.used+1 > l.Of(of.base) {
				return of.hold
			}
		}
	}
	able := schedulable(s.Node)
	if able && pool.free <= 1 {
		return HoldLast
	}
	for _, a := range []*account{&b.cluster, pool} {
		a.used++
		if able {
			a.free--
		}
	}
	return ""
}

// carried is what a node carries of ours.
type carried struct {
	// soft is the taint of drifted nodes that pods avoid, hard the one that keeps them
	// away; effect is that of the hard one.
	soft, hard bool
	effect     corev1.TaintEffect
	// unverified is the taint of nodes that have not been checked; registered is
	// whether the node has had it since it registered, and not from the controller.
	unverified, registered bool
}

// ours is whether it carries what a budget counts.
func (c carried) ours() bool { return c.hard || c.unverified && !c.registered }

func carries(taints []corev1.Taint) (c carried) {
	for i := range taints {
		t := &taints[i]
		switch {
		case key.IsUnverified(t.Key) && t.Effect != corev1.TaintEffectPreferNoSchedule:
			c.unverified = true
			c.registered = c.registered || t.TimeAdded == nil
		case !key.IsDrifted(t.Key):
		case t.Effect == corev1.TaintEffectPreferNoSchedule:
			c.soft = true
		default:
			if c.hard = true; c.effect != corev1.TaintEffectNoExecute {
				c.effect = t.Effect
			}
		}
	}
	return c
}
