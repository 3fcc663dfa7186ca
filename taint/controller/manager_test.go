package controller

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A controller that is told to end while it has yet to read the cluster ends, whatever
// the manager does; one that has begun is waited for.
func TestUntil(t *testing.T) {
	broken := errors.New("broken")
	tests := map[string]struct {
		ready bool
		ends  time.Duration // after it is told to; 0 for by itself
		err   error
		took  time.Duration
	}{
		"by itself":                  {err: broken},
		"before the cluster is read": {ends: time.Hour, took: time.Second},
		"before, and at once":        {ends: time.Millisecond, err: broken, took: time.Millisecond},
		"while it writes":            {ready: true, ends: 10 * time.Second, err: broken, took: 10 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				ready := make(chan struct{})
				if tt.ready {
					close(ready)
				}
				if tt.ends > 0 {
					cancel()
				}
				begin := time.Now()
				err := until(ctx, func(context.Context) error {
					time.Sleep(tt.ends)
					return broken
				}, ready)
				cancel()
				took := time.Since(begin)
				time.Sleep(tt.ends) // for the goroutine that is left
				if !errors.Is(err, tt.err) || took != tt.took {
					t.Errorf("ended with %v after %s", err, took)
				}
			})
		})
	}
}
