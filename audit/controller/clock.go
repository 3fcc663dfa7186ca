package controller

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// maxSkew is by how much two clocks may differ. Rollouts go by days; what a clock that was
// set to another day has written down as seen would shorten them, or hold them for ever.
const maxSkew = 10 * time.Minute

// clock compares this machine's clock with that of the API server, by the dates of its
// answers. It is safe for concurrent use.
type clock struct {
	ahead atomic.Int64 // by how many nanoseconds this one is ahead
}

// watch notes the dates of the answers that pass through it.
func (c *clock) watch(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		answer, err := next.RoundTrip(r)
		if err == nil {
			// Without the monotonic part, which does not see that a clock is set.
			if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
				c.ahead.Store(int64(time.Now().Round(0).Sub(date)))
			}
		}
		return answer, err
	})
}

// wrong is an error where the clocks differ so much that one of them is wrong. Nothing is
// decided then: which one it is cannot be told from here.
func (c *clock) wrong() error {
	if ahead := time.Duration(c.ahead.Load()); ahead.Abs() > maxSkew {
		return fmt.Errorf("the clock here and that of the API server differ by %s: nothing is audited or promoted until they agree", ahead.Abs().Round(time.Minute))
	}
	return nil
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
