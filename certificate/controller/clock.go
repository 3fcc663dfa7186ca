package controller

import (
	"net/http"
	"sync"
	"time"
)

// clock is the API server's, as it says in its answers: it is there that a certificate is
// found to be valid or not.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

// exact is what an answer's date, which has whole seconds, and its way here may differ by.
const exact = 5 * time.Second

// wrap notes the dates of answers.
func (c *clock) wrap(rt http.RoundTripper) http.RoundTripper { return dated{rt, c} }

type dated struct {
	http.RoundTripper
	clock *clock
}

// RoundTrip implements http.RoundTripper.
func (d dated) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := d.RoundTripper.RoundTrip(r)
	if err == nil {
		if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
			d.clock.note(time.Until(date))
		}
	}
	return resp, err
}

func (c *clock) note(ahead time.Duration) {
	if ahead.Abs() < exact {
		ahead = 0
	}
	c.mu.Lock()
	c.ahead = ahead
	c.mu.Unlock()
}

// skew is how far the API server's clock is ahead.
func (c *clock) skew() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ahead
}

func (c *clock) now() time.Time { return time.Now().Add(c.skew()) }
