package delivery

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// Sender delivers the latest status that it was offered, and keeps at it.
type Sender struct {
	Client *Client
	// Node is the name of the report and of the lease.
	Node string
	// Namespace is where the lease is.
	Namespace string
	// Heartbeat is how often the lease is renewed and the report looked after.
	Heartbeat time.Duration
	// SpecInterval is how often it is asked in between whether the report's spec is
	// another.
	SpecInterval time.Duration
	// Orders gets what the report asks for, whenever that is something else, to begin
	// with only if it asks for something. It has room for one: an order that nobody has
	// taken yet is replaced by the next.
	Orders chan Order
	// Alive is an error while the scans do not come to an end: a lease must not say
	// then that the report stands.
	Alive   func() error
	Metrics *Metrics

	mu      sync.Mutex
	latest  offer
	waiting chan struct{}

	// What follows is of Run's goroutine.
	known bool // whether have is what the server has
	have  stored
	told  Order     // of the orders, the last
	held  bool      // whether the latest status is not written, as it is by another order
	beat  time.Time // when the next heartbeat is due
	asks  time.Time // when the next question for the spec is
	fails int
}

// offer is a status and the order that it follows.
type offer struct {
	status []byte
	by     Order
}

const (
	firstRetry = 500 * time.Millisecond
	// maxRetry is the ceiling: with it, what is latest arrives soon after the server
	// is back.
	maxRetry = 30 * time.Second
	// maxAfter bounds what a server may ask for.
	maxAfter = 5 * time.Minute
	// missed is how many heartbeats may be late before the lease has ended.
	missed = 3
)

// Offer hands over the JSON of a status; it replaces what has not been delivered. by
// is the latest order that was known when it was made: it is not delivered while the
// report asks for something else. Safe for concurrent use.
func (s *Sender) Offer(status []byte, by Order) {
	s.mu.Lock()
	s.latest = offer{status: status, by: by}
	c := s.wake()
	s.mu.Unlock()
	select {
	case c <- struct{}{}:
	default:
	}
}

// wake returns the channel that Offer sends on. The caller holds the lock.
func (s *Sender) wake() chan struct{} {
	if s.waiting == nil {
		s.waiting = make(chan struct{}, 1)
	}
	return s.waiting
}

func (s *Sender) offered() (offer, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.latest, s.wake()
}

// Run delivers until ctx ends.
func (s *Sender) Run(ctx context.Context) {
	for ctx.Err() == nil {
		latest, offered := s.offered()
		if latest.status == nil { // the first scan is under way
			select {
			case <-ctx.Done():
			case <-offered:
			}
			continue
		}
		err := s.bring(ctx, latest)
		if ctx.Err() != nil {
			return
		}
		s.Metrics.tried(err, s.known && !s.held)
		s.pause(ctx, s.next(ctx, err), offered)
	}
}

// often is how many failures in a row are told of once.
const often = 10

// next is how long to wait after a try.
func (s *Sender) next(ctx context.Context, err error) time.Duration {
	log := logf.FromContext(ctx).WithName("delivery")
	if err == nil {
		if s.fails > 0 {
			log.Info("delivered again", "tries", s.fails)
		}
		s.fails = 0
		if s.held { // the heartbeat, too, waits for what follows the order
			return time.Until(s.asks)
		}
		return min(time.Until(s.beat), time.Until(s.asks))
	}
	wait := s.retry(err)
	if s.fails%often == 1 {
		log.Error(err, "not delivered; checking goes on", "tries", s.fails, "retryAfter", wait.String())
	} else {
		log.V(1).Info("not delivered", "cause", err.Error(), "tries", s.fails, "retryAfter", wait.String())
	}
	return wait
}

// pause waits for d. What is offered meanwhile ends it, unless it is the report
// itself that cannot be delivered.
func (s *Sender) pause(ctx context.Context, d time.Duration, offered <-chan struct{}) {
	if !s.known {
		offered = nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-offered:
	case <-timer.C:
	}
}

// bring does what is due: the report, if the server has another, and the heartbeat.
func (s *Sender) bring(ctx context.Context, latest offer) error {
	token, err := s.Client.Token()
	if err != nil {
		return fmt.Errorf("reading the token: %w", err)
	}
	claims, err := ReadClaims(token)
	if err != nil {
		return err
	}
	uid := types.UID(claims.Node.UID)
	now := time.Now()
	due, asks := !now.Before(s.beat), !now.Before(s.asks)
	switch {
	case due:
		s.lookAfter(ctx)
	case asks:
		s.ask(ctx)
	}
	if due || asks {
		s.asks = now.Add(s.untilAsked())
	}
	if err := s.report(ctx, latest, uid); err != nil {
		// Whether it arrived is not known, and what another agent wrote neither.
		s.known = false
		return err
	}
	if !due || s.held {
		return nil
	}
	if err := s.Alive(); err != nil {
		logf.FromContext(ctx).WithName("delivery").Error(err, "the lease is not renewed")
	} else if err := s.Client.applyLease(ctx, s.Namespace, s.Node, uid, time.Now(), missed*s.Heartbeat); err != nil {
		return err
	} else {
		s.Metrics.renewed()
	}
	s.beat = time.Now().Add(jitter(s.Heartbeat))
	return nil
}

// report makes what the server has equal to what is offered, unless that does not
// follow the report's order: held says so then.
func (s *Sender) report(ctx context.Context, latest offer, uid types.UID) error {
	want := sha256.Sum256(latest.status)
	for range 3 { // it may be changed or deleted between the requests
		if !s.known {
			have, err := s.Client.readReport(ctx, s.Node)
			if err != nil {
				return err
			}
			s.have, s.known = have, true
		}
		if !s.have.exists || (uid != "" && s.have.owned != uid) {
			have, err := s.Client.applyReport(ctx, s.Node, uid)
			if err != nil {
				return err
			}
			s.have = have
		}
		s.tell()
		if s.held = latest.by != s.have.order; s.held || s.have.content == want {
			return nil
		}
		version, err := s.Client.applyStatus(ctx, s.Node, s.have.version, latest.status)
		if answered(err, http.StatusNotFound) || answered(err, http.StatusConflict) {
			s.known = false
			continue
		}
		if err != nil {
			return err
		}
		s.have.content, s.have.version = want, version
		s.Metrics.wrote(len(latest.status))
		return nil
	}
	return errors.New("writing the report: it is another each time")
}

// retry is how long to wait after a failure.
func (s *Sender) retry(err error) time.Duration {
	s.fails++
	wait := maxRetry
	if s.fails < 8 {
		wait = min(firstRetry<<(s.fails-1), maxRetry)
	}
	wait = wait/2 + rand.N(wait/2) //nolint:gosec // spreads load, protects nothing
	if a, ok := errors.AsType[*answerError](err); ok && a.After > 0 {
		wait = max(wait, min(a.After, maxAfter))
	}
	return wait
}

// jitter spreads what many nodes do at the same interval.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1) //nolint:gosec // spreads load, protects nothing
}
