package roster

import (
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/taint/ruling"
)

// pulse is when something was last heard of an agent, by our own clock: that of a node
// may be wrong, so that only the change of a time says anything.
type pulse struct {
	// uid is that of the node that it was heard of; empty where that is not said.
	uid types.UID
	at  time.Time
}

// trimLease keeps what says that an agent is alive.
func (p *stringPool) trimLease(l *coordinationv1.Lease) *coordinationv1.Lease {
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Name: l.Name, Namespace: p.one(l.Namespace), ResourceVersion: l.ResourceVersion,
			OwnerReferences: nodeOwners(l.OwnerReferences, l.Name),
		},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: l.Spec.HolderIdentity, RenewTime: l.Spec.RenewTime, LeaseDurationSeconds: l.Spec.LeaseDurationSeconds,
		},
	}
}

// isHeartbeat is whether a Lease is that of the agent on the node of its name. Leases
// of others may be in the same namespace.
func isHeartbeat(l *coordinationv1.Lease) bool {
	return l.Spec.HolderIdentity != nil && *l.Spec.HolderIdentity == l.Name && l.Spec.RenewTime != nil
}

// heartbeat is the pulse by a Lease after the one before; old and known are nil and
// zero at first sight. What is seen first may be long ago, and is not believed to be
// in the future.
func heartbeat(l, old *coordinationv1.Lease, known pulse, now time.Time) pulse {
	next := pulse{uid: ownerUID(l.OwnerReferences, l.Name), at: known.at}
	switch first := old == nil || next.uid != known.uid; {
	case first && next.uid == known.uid: // it was deleted and made anew
		next.at = latest(known.at, earlier(l.Spec.RenewTime.Time, now))
	case first:
		next.at = earlier(l.Spec.RenewTime.Time, now)
	case !l.Spec.RenewTime.Equal(old.Spec.RenewTime):
		next.at = now
	}
	return next
}

// duration is how long a Lease says that its agent counts as alive. It cannot claim
// more than what policies are told to reckon with.
func duration(l *coordinationv1.Lease) time.Duration {
	if l == nil || l.Spec.LeaseDurationSeconds == nil {
		return 0
	}
	return min(time.Duration(*l.Spec.LeaseDurationSeconds)*time.Second, ruling.MinStaleAfter)
}

// word is the pulse by a report: what it says has changed. At first sight, all that is
// known is that it was made once.
func word(r, old *NodeReport, known pulse, now time.Time) pulse {
	next := pulse{uid: ownerUID(r.OwnerReferences, r.Name), at: known.at}
	switch {
	case old == nil || old.UID != r.UID:
		next.at = earlier(r.CreationTimestamp.Time, now)
	case !sameWord(r, old):
		next.at = now
	}
	return next
}

// of is when a node was heard of; zero if it was not.
func (p pulse) of(node types.UID) time.Time {
	if p.uid != "" && p.uid != node {
		return time.Time{}
	}
	return p.at
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
