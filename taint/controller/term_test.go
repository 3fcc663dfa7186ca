package controller

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// lock is one that answers after a while.
type lock struct {
	resourcelock.Interface
	takes time.Duration
	err   error
}

func (*lock) Identity() string { return "me" }

func (l *lock) Create(context.Context, resourcelock.LeaderElectionRecord) error { return l.answer() }

func (l *lock) Update(context.Context, resourcelock.LeaderElectionRecord) error { return l.answer() }

func (l *lock) answer() error {
	time.Sleep(l.takes)
	return l.err
}

func TestTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lock{}
		term := &term{Interface: l}
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
		time.Sleep(renewDeadline - time.Millisecond)
		expect("just before its end", nil)
		time.Sleep(time.Millisecond)
		expect("at its end", errLapsed)
		_ = term.Update(t.Context(), mine)
		expect("renewed", nil)
		l.err = errors.New("refused")
		time.Sleep(renewDeadline / 2)
		_ = term.Update(t.Context(), mine)
		time.Sleep(renewDeadline / 2)
		expect("not renewed, as the server refused", errLapsed)
		// An answer that comes late is of a request that was sent early.
		l.err, l.takes = nil, renewDeadline-time.Second
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
	})
}
