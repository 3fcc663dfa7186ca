package delivery

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// lookAfter finds out whether somebody deleted or changed the report.
func (s *Sender) lookAfter(ctx context.Context) {
	if !s.known {
		return
	}
	m, err := s.Client.readMeta(ctx, s.Node, "")
	if err != nil || m.ResourceVersion != s.have.version {
		s.known = false
	}
}

// ask finds out whether the report's spec is another, by a question that costs the
// server next to nothing: metadata alone, of what it has in memory. Only if that tells
// of another spec is the report read, and as it is stored: what was in memory may be
// of before. A question that fails is asked again in its time.
func (s *Sender) ask(ctx context.Context) {
	if !s.known {
		return
	}
	m, err := s.Client.readMeta(ctx, s.Node, cachedQuery)
	switch {
	case answered(err, http.StatusNotFound):
		s.known = false
	case err != nil:
		s.Metrics.failed(err)
		logf.FromContext(ctx).WithName("delivery").V(1).Info("whether other rules are asked for is not known", "cause", err.Error())
	case m.UID != s.have.uid || m.Generation != s.have.generation:
		s.known = false
	}
}

// untilAsked is how long it is until the next question: the first is at any time, as
// the agents of many nodes are started together.
func (s *Sender) untilAsked() time.Duration {
	if s.asks.IsZero() {
		return rand.N(s.SpecInterval + 1) //nolint:gosec // spreads load, protects nothing
	}
	return jitter(s.SpecInterval)
}

// tell hands over what the report asks for, if that is something else than before.
func (s *Sender) tell() {
	if s.have.order == s.told {
		return
	}
	s.told = s.have.order
	select {
	case <-s.Orders: // nobody has taken it
	default:
	}
	s.Orders <- s.told
}
