package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// load is what one round of requests gave.
type load struct {
	requests int
	elapsed  time.Duration
	// latencies are sorted.
	latencies []time.Duration
}

// drive sends the requests of a set in turn, from several workers at once, for
// the duration. It ends early with the first error.
func (c *Client) drive(ctx context.Context, set []Request, duration time.Duration, workers int) (load, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	begin := time.Now()
	deadline := begin.Add(duration)
	var next atomic.Uint64
	latencies := make([][]time.Duration, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			var body []byte
			for ctx.Err() == nil && time.Now().Before(deadline) {
				n := next.Add(1) - 1
				r := set[n%uint64(len(set))]
				uid := fmt.Sprintf("00000000-0000-4000-8000-%012x", n)
				body = r.withUID(body, uid)
				sent := time.Now()
				if err := c.send(ctx, r, body, uid); err != nil {
					cancel(err)
					return
				}
				latencies[w] = append(latencies[w], time.Since(sent))
			}
		})
	}
	wg.Wait()
	elapsed := time.Since(begin)
	if err := context.Cause(ctx); err != nil {
		return load{}, err
	}
	if err := c.alone(); err != nil {
		return load{}, err
	}
	all := slices.Concat(latencies...)
	if len(all) == 0 {
		return load{}, errors.New("no request was answered in time")
	}
	slices.Sort(all)
	return load{requests: len(all), elapsed: elapsed, latencies: all}, nil
}

// quantile returns the value below which the share q of the latencies lies, by
// nearest rank.
func (l load) quantile(q float64) time.Duration {
	rank := int(math.Ceil(q * float64(len(l.latencies))))
	return l.latencies[min(max(rank, 1), len(l.latencies))-1]
}
