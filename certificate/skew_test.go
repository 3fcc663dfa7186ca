package certificate

import (
	"testing"
	"time"
)

// The API server that is asked is one of several, and its clock is off: what is made by it
// is good for the others, if the leader's own clock is theirs, and it comes to an end.
func TestOneServerIsAhead(t *testing.T) {
	for name, off := range map[string]time.Duration{"by an hour": time.Hour, "by days": 40 * day, "past the end": 100 * day, "past the authority's": 6 * 365 * day} {
		t.Run(name, func(t *testing.T) {
			s, c := settled(t), config
			c.Behind = off
			now := began.Add(off)
			s = settledBy(t, s, c, now)
			check(t, s.Bundles[0], s.Serving[CertKey], now)
			check(t, s.Bundles[0], s.Serving[CertKey], began)
			// The leader's clock is set, or another API server is asked.
			for _, c.Behind = range []time.Duration{off, 0} {
				if step := Plan(s, long, c, began); step != (Step{}) {
					t.Errorf("asked of another, what is good is not left alone: %v", step)
				}
			}
		})
	}
}

// settledBy is a state in which nothing is to be done any more by a clock.
func settledBy(t *testing.T, s State, c Config, now time.Time) State {
	t.Helper()
	for range 20 {
		step := Plan(s, long, c, now)
		if step.Action == None {
			break
		}
		s = carried(t, s, step.Action, c, now)
	}
	if step := Plan(s, long, c, now); step != (Step{}) {
		t.Fatalf("there is no end: %v", step)
	}
	return s
}

// A leader whose own clock is far behind makes what is renewed when any other is.
func TestDueWhereClocksDiffered(t *testing.T) {
	c := config
	c.Behind = 2 * 365 * day
	s := State{Bundles: make([][]byte, 3)}
	for range 20 {
		s = carried(t, s, Plan(s, long, c, began).Action, c, began)
	}
	for at, want := range map[time.Duration]Action{0: None, 60*day - time.Second: None, 60 * day: Issue} {
		if step := Plan(s, long, config, began.Add(at)); step.Action != want {
			t.Errorf("after %s it is %v, want %s", at, step, want)
		}
	}
}

// The one that is asked is behind, further than a certificate lives: what is made by it is
// no earlier past its end by the others.
func TestOneServerIsBehind(t *testing.T) {
	for name, off := range map[string]time.Duration{"by an hour": time.Hour, "by days": 40 * day, "a certificate's life": 100 * day, "a year": 365 * day} {
		t.Run(name, func(t *testing.T) {
			s, c := settled(t), config
			c.Behind = -off
			now := began.Add(-off)
			s = settledBy(t, s, c, now)
			check(t, s.Bundles[0], s.Serving[CertKey], now)
			check(t, s.Bundles[0], s.Serving[CertKey], began)
			// Another API server is asked.
			for _, c.Behind = range []time.Duration{-off, 0} {
				if step := Plan(s, long, c, began); step != (Step{}) {
					t.Errorf("asked of another, what is good is not left alone: %v", step)
				}
			}
		})
	}
}
