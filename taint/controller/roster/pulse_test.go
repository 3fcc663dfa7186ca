package roster

import (
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// heard is when the agent of the node a was heard of.
func (w *watched) heard() time.Time { return w.a().Heard }

// The clock of a node is not ours: it may be hours off. What counts is when we see
// that its lease is renewed.
func TestHeard(t *testing.T) {
	w := newWatched(t)
	w.see(node("a"))
	if !w.heard().IsZero() {
		t.Error("heard before anything was")
	}
	first := start.Add(-10 * time.Minute)
	w.SetLease(w.lease("uid-a", first))
	if !w.heard().Equal(first) {
		t.Errorf("at first sight heard at %s", w.heard())
	}
	w.now = start.Add(time.Minute)
	w.SetLease(w.lease("uid-a", first))
	if !w.heard().Equal(first) {
		t.Errorf("a lease that was not renewed is heard of at %s", w.heard())
	}
	// An hour back and a day ahead: both are renewals.
	for _, skew := range []time.Duration{-time.Hour, 24 * time.Hour} {
		w.now = w.now.Add(time.Minute)
		w.SetLease(w.lease("uid-a", w.now.Add(skew)))
		if !w.heard().Equal(w.now) {
			t.Errorf("with a clock that is %s off, heard at %s and not at %s", skew, w.heard(), w.now)
		}
	}
	if w.a().Lease != 15*time.Minute {
		t.Errorf("the lease lasts %s", w.a().Lease)
	}
}

func TestHeardAtFirstSight(t *testing.T) {
	w := newWatched(t)
	w.see(node("a"))
	w.SetLease(w.lease("uid-a", start.Add(time.Hour)))
	if !w.heard().Equal(start) {
		t.Errorf("heard in the future, at %s", w.heard())
	}
}

// Leases of others than agents, of agents on other nodes and of the node before.
func TestHeardOfOthers(t *testing.T) {
	for name, change := range map[string]func(*coordinationv1.Lease){
		"another holder":      func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = new("b") },
		"no holder":           func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = nil },
		"never renewed":       func(l *coordinationv1.Lease) { l.Spec.RenewTime = nil },
		"of the node before":  func(l *coordinationv1.Lease) { l.OwnerReferences = ownedBy("uid-before") },
		"of another's uid ":   func(l *coordinationv1.Lease) { l.OwnerReferences[0].UID = "uid-b" },
		"of another and held": func(l *coordinationv1.Lease) { l.Name, l.Spec.HolderIdentity = "b", new("b") },
	} {
		w := newWatched(t)
		w.see(node("a"))
		for i := range 2 {
			l := w.lease("uid-a", start.Add(time.Duration(i)*time.Second))
			change(l)
			w.SetLease(l)
		}
		if !w.heard().IsZero() {
			t.Errorf("%s: heard at %s", name, w.heard())
		}
	}
	w := newWatched(t)
	w.see(node("a"))
	w.SetLease(w.lease("", start))
	if !w.heard().Equal(start) {
		t.Error("a lease without an owner is not heard of")
	}
}

// A node that takes the name of another has not been heard of by the other's agent.
func TestHeardIsOfOneNode(t *testing.T) {
	w := newWatched(t)
	w.see(node("a"))
	w.SetLease(w.lease("uid-a", start))
	w.SetReport(w.report("uid-a", "Pass"))
	again := node("a")
	again.UID = "uid-next"
	w.see(again)
	if !w.heard().IsZero() {
		t.Errorf("heard at %s", w.heard())
	}
	w.now = start.Add(time.Minute)
	w.SetLease(w.lease("uid-next", start.Add(-time.Hour)))
	if want := start.Add(-time.Hour); !w.heard().Equal(want) {
		t.Errorf("heard at %s, want %s: the first sight of the new node's lease", w.heard(), want)
	}
}

// A report that changes was written by an agent that lives; our own order was not.
func TestHeardByReport(t *testing.T) {
	w := newWatched(t)
	w.see(node("a"))
	r := w.report("uid-a", "Pass")
	r.CreationTimestamp = metav1.NewTime(start.Add(-time.Hour))
	w.SetReport(r)
	if want := start.Add(-time.Hour); !w.heard().Equal(want) {
		t.Errorf("at first sight heard at %s", w.heard())
	}
	w.now = start.Add(time.Minute)
	r = w.report("uid-a", "Pass")
	r.Generation = 2
	w.SetReport(r)
	if !w.heard().Before(start) {
		t.Error("an order to the agent is heard of")
	}
	w.SetReport(w.report("uid-a", "Fail"))
	if !w.heard().Equal(w.now) {
		t.Errorf("another word is heard of at %s", w.heard())
	}
}

// Renewals change no plan, but for that of an agent that was silent.
func TestLeaseChanges(t *testing.T) {
	w := newWatched(t)
	w.see(node("a"))
	w.changed()
	w.SetLease(w.lease("uid-a", start.Add(-time.Minute)))
	if !w.changed() {
		t.Error("the first that is heard is no change")
	}
	w.now = start.Add(5 * time.Minute)
	w.SetLease(w.lease("uid-a", w.now))
	if w.changed() {
		t.Error("a renewal is a change")
	}
	w.now = w.now.Add(16 * time.Minute)
	w.SetLease(w.lease("uid-a", w.now))
	if !w.changed() {
		t.Error("the return of a silent agent is no change")
	}
	l := w.lease("uid-a", w.now)
	w.SetLease(l)
	w.DeleteLease(l)
	if !w.heard().Equal(w.now) {
		t.Error("what was heard is forgotten with the lease")
	}
}

// No agent claims to be alive for longer than policies reckon with.
func TestLeaseIsBounded(t *testing.T) {
	w := newWatched(t)
	w.see(node("a"))
	l := w.lease("uid-a", start)
	l.Spec.LeaseDurationSeconds = new(int32(1 << 30))
	w.SetLease(l)
	if w.a().Lease != 15*time.Minute {
		t.Errorf("it claims %s", w.a().Lease)
	}
	short := w.lease("uid-a", start)
	short.Spec.LeaseDurationSeconds = new(int32(60))
	w.SetLease(short)
	if w.a().Lease != time.Minute {
		t.Errorf("it claims %s", w.a().Lease)
	}
}
