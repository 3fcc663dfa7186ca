// Package clock tells what time it is to the API server. What it decides about by the time,
// a certificate or the end of an Exemption, is decided there or has to agree with it; and
// the clock of a node may be off by hours or years. The package holds no client: it listens
// to the answers that its caller gets.
package clock

import (
	"net/http"
	"sync/atomic"
	"time"
)

// Exact is what an answer's date, which has whole seconds, and its way here may differ by:
// clocks that differ by less are the same.
const Exact = 5 * time.Second

// Server is the clock of an API server. The zero value has heard nothing yet, and is that of
// this machine. It is safe for concurrent use.
type Server struct{ heard atomic.Pointer[answer] }

// answer is what an answer said, and when it came. From then on time is told by the
// monotonic clock, which nobody sets: where this machine's clock jumps between an answer and
// what is decided by it, nothing follows. It stands still while a machine sleeps, which is
// made good by the next answer.
type answer struct{ date, at time.Time }

// Wrap notes the dates of the answers that pass through it.
func (s *Server) Wrap(next http.RoundTripper) http.RoundTripper { return dated{next, s} }

type dated struct {
	http.RoundTripper
	clock *Server
}

// RoundTrip implements http.RoundTripper.
func (d dated) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := d.RoundTripper.RoundTrip(r)
	if err == nil && fresh(resp) {
		if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
			d.clock.heard.Store(&answer{date, time.Now()})
		}
	}
	return resp, err
}

// fresh is whether an answer is the API server's own of now: what stands before it dates by
// another clock that it is not reached, and what has kept an answer has kept its date.
func fresh(resp *http.Response) bool {
	return resp.StatusCode < http.StatusInternalServerError && resp.Header.Get("Age") == ""
}

// Heard is whether an answer has said what time it is.
func (s *Server) Heard() bool { return s.heard.Load() != nil }

// Now is the time by the API server's clock, to a second or so; to the nanosecond where this
// machine's is the same.
func (s *Server) Now() time.Time {
	own := time.Now()
	return own.Add(s.ahead(own))
}

// Ahead is how far the API server's clock is ahead of this machine's, and 0 where they are
// the same or nothing was heard.
func (s *Server) Ahead() time.Duration { return s.ahead(time.Now()) }

func (s *Server) ahead(own time.Time) time.Duration {
	h := s.heard.Load()
	if h == nil {
		return 0
	}
	// A date has no monotonic part, so that this compares what the two clocks show.
	ahead := h.date.Add(own.Sub(h.at)).Sub(own)
	if ahead.Abs() < Exact {
		return 0
	}
	return ahead
}
