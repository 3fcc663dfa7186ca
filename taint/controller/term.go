package controller

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// LeaseDuration is how long the others wait for a leader that is not heard of, unless it is
// told otherwise.
const LeaseDuration = 15 * time.Second

// renewDeadline is how long a leader may go on that does not reach the API server, of a
// Lease that lasts so long.
func renewDeadline(lease time.Duration) time.Duration { return lease * 2 / 3 }

// retryPeriod is how often it renews the Lease.
func retryPeriod(lease time.Duration) time.Duration { return lease * 2 / 15 }

// errLapsed ends a controller that has not been heard of for so long that another may
// lead.
var errLapsed = errors.New("the leader's lease could not be renewed in time: another may lead, and what is known here may be old; to be started anew")

// term is the lock of an election that remembers until when the leader may act. To be
// elected does not suffice: a process that was stopped, or whose machine slept, is
// told by nobody that its time is over. It wakes up with what it knew before, and
// would go on with it for as long as the renewal of its Lease is tried.
type term struct {
	resourcelock.Interface

	lasts time.Duration // the Lease

	mu      sync.Mutex
	renewed time.Time
}

// Create implements resourcelock.Interface.
func (t *term) Create(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	return t.note(r, func() error { return t.Interface.Create(ctx, r) })
}

// Update implements resourcelock.Interface.
func (t *term) Update(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	return t.note(r, func() error { return t.Interface.Update(ctx, r) })
}

// note notes a renewal: it counts from before it was sent. What is given up is so before
// that, whatever the answer: another may lead while it is on its way.
func (t *term) note(r resourcelock.LeaderElectionRecord, renew func() error) error {
	if r.HolderIdentity != t.Identity() {
		t.set(time.Time{})
		return renew()
	}
	began := time.Now()
	err := renew()
	if err == nil {
		t.set(began)
	}
	return err
}

func (t *term) set(renewed time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.renewed = renewed
}

// check is an error when the term is over.
func (t *term) check() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	// The monotonic clock stands still while a machine sleeps, the other one may be set.
	if t.renewed.IsZero() || max(now.Sub(t.renewed), now.Round(0).Sub(t.renewed.Round(0))) >= renewDeadline(t.lasts) {
		return errLapsed
	}
	return nil
}
