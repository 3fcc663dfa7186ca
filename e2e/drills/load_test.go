package drills

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/e2e/gate"
)

// workers are how many clients send at the same time, each one request after the other.
const workers = 8

// load is a stream of requests in an enforced namespace: every fourth is for a pod that
// must be denied. One that the webhook did not answer is sent again, as any client does.
type load struct {
	stop context.CancelFunc
	all  sync.WaitGroup

	mu       sync.Mutex
	verdicts int
	// lost are requests that got no verdict, by when that was known.
	lost []lost
	// wrong are verdicts that are not right, and requests that got none at their last trial.
	wrong []string
}

type lost struct {
	at  time.Time
	err error
}

// pause is how long a client waits until it tries again.
const pause = 300 * time.Millisecond

// trials are how often a request is sent at most.
const trials = 4

func startLoad(t *testing.T, ns string) *load {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &load{stop: stop}
	for range workers {
		l.all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				l.request(ctx, ns, n%4 == 0)
			}
		})
	}
	t.Cleanup(l.end)
	return l
}

func (l *load) request(ctx context.Context, ns string, bad bool) {
	for trial := 1; ; trial++ {
		err := create(ctx, pod(ns, bad))
		if ctx.Err() != nil {
			return
		}
		verdict := err == nil || gate.Denied(err)
		l.mu.Lock()
		switch {
		case verdict && gate.Denied(err) != bad:
			l.wrong = append(l.wrong, fmt.Sprintf("a pod, privileged %t: %v", bad, err))
		case verdict:
			l.verdicts++
		case trial == trials:
			l.wrong = append(l.wrong, fmt.Sprintf("no verdict at trial %d: %v", trial, err))
		}
		if !verdict {
			l.lost = append(l.lost, lost{time.Now(), err})
		}
		l.mu.Unlock()
		if verdict || trial == trials {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// more waits for that many more verdicts.
func (l *load) more(t *testing.T, n int) {
	t.Helper()
	l.mu.Lock()
	before := l.verdicts
	l.mu.Unlock()
	await(t, soon, "there are more verdicts", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.verdicts >= before+n
	})
}

func (l *load) end() {
	l.stop()
	l.all.Wait()
}

// right is an error for what is wrong, and returns the requests that were lost. The load
// has ended.
func (l *load) right(t *testing.T) []lost {
	t.Helper()
	for i, w := range l.wrong {
		if i < 5 {
			t.Error(w)
		}
	}
	if len(l.wrong) > 0 {
		t.Errorf("%d requests of %d went wrong", len(l.wrong), l.verdicts)
	}
	return l.lost
}
