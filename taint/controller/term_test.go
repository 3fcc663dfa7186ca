package controller

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// lock is one that answers after a while.
type lock struct {
	resourcelock.Interface
	takes time.Duration
	err   error
	// meanwhile is called once the server has done it, and before it is known.
	meanwhile func()
}

func (*lock) Identity() string { return "me" }

func (l *lock) Create(context.Context, resourcelock.LeaderElectionRecord) error { return l.answer() }

func (l *lock) Update(context.Context, resourcelock.LeaderElectionRecord) error { return l.answer() }

func (l *lock) answer() error {
	if l.meanwhile != nil {
		l.meanwhile()
	}
	time.Sleep(l.takes)
	return l.err
}

func TestTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lock{}
		term := &term{Interface: l, lasts: LeaseDuration}
		deadline := renewDeadline(LeaseDuration)
		mine, free := resourcelock.LeaderElectionRecord{HolderIdentity: "me"}, resourcelock.LeaderElectionRecord{}
		expect := func(what string, want error) {
			t.Helper()
			if err := term.check(); !errors.Is(err, want) {
				t.Errorf("%s: %v", what, err)
			}
		}
		expect("before it was elected", errLapsed)
		_ = term.Create(t.Context(), mine)
		expect("elected", nil)
		time.Sleep(deadline - time.Millisecond)
		expect("just before its end", nil)
		time.Sleep(time.Millisecond)
		expect("at its end", errLapsed)
		_ = term.Update(t.Context(), mine)
		expect("renewed", nil)
		l.err = errors.New("refused")
		time.Sleep(deadline / 2)
		_ = term.Update(t.Context(), mine)
		time.Sleep(deadline / 2)
		expect("not renewed, as the server refused", errLapsed)
		// An answer that comes late is of a request that was sent early.
		l.err, l.takes = nil, deadline-time.Second
		_ = term.Update(t.Context(), mine)
		expect("renewed late", nil)
		time.Sleep(time.Second)
		expect("a second after that", errLapsed)
		l.takes = 0
		_ = term.Update(t.Context(), mine)
		_ = term.Update(t.Context(), free)
		expect("given up", errLapsed)
		_ = term.Update(t.Context(), mine)
		l.err = errors.New("lost")
		_ = term.Update(t.Context(), free)
		expect("given up, perhaps", errLapsed)
		l.err = nil
		_ = term.Update(t.Context(), mine)
		l.meanwhile = func() { expect("given up, and another leads before the answer is here", errLapsed) }
		_ = term.Update(t.Context(), free)
	})
}

// What docs/reliability.md promises of a Lease for which nothing else is asked, and what
// client-go demands of any.
func TestTimesOfALease(t *testing.T) {
	if LeaseDuration != 15*time.Second || renewDeadline(LeaseDuration) != 10*time.Second || retryPeriod(LeaseDuration) != 2*time.Second {
		t.Errorf("%s, %s, %s", LeaseDuration, renewDeadline(LeaseDuration), retryPeriod(LeaseDuration))
	}
	for _, lease := range []time.Duration{3 * time.Second, LeaseDuration, time.Hour} {
		if d, r := renewDeadline(lease), retryPeriod(lease); d >= lease || time.Duration(leaderelection.JitterFactor*float64(r)) >= d {
			t.Errorf("of a Lease of %s: %s, %s", lease, d, r)
		}
	}
}
