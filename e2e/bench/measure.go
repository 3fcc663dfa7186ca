package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/hardgate-dev/hardgate/e2e/process"
)

// Server is one of the two that are measured.
type Server struct {
	Name    string
	Process process.Identity
	Client  *Client
}

// Plan says how long to measure.
type Plan struct {
	Warmup, Round time.Duration
	Rounds        int
	Concurrency   int
}

// Bound is an upper limit for how long the measuring of one set takes.
func (p Plan) Bound() time.Duration {
	return 2 * (p.Warmup + time.Duration(p.Rounds)*p.Round) * 2
}

// Sample is one server's share of one round.
type Sample struct {
	CPU      time.Duration // per request
	Rate     float64       // requests per second
	P50, P99 time.Duration
}

// Result is what was measured of the two servers with one set of requests. The
// samples of the same index were taken in the same round.
type Result struct {
	Set            string
	Floor, Webhook []Sample
}

// Measure lets the two servers take turns. Which comes first changes with every
// round, so that neither always follows the other.
func Measure(ctx context.Context, name string, set []Request, floor, webhook Server, plan Plan) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, plan.Bound())
	defer cancel()
	for _, s := range []Server{floor, webhook} {
		if err := s.warmUp(ctx, set, plan); err != nil {
			return Result{}, fmt.Errorf("warming up %s with %s requests: %w", s.Name, name, err)
		}
	}
	result := Result{Set: name}
	for round := range plan.Rounds {
		pair := []Server{floor, webhook}
		into := []*[]Sample{&result.Floor, &result.Webhook}
		for turn := range pair {
			i := (turn + round) % 2
			sample, err := pair[i].sample(ctx, set, plan)
			if err != nil {
				return Result{}, fmt.Errorf("measuring %s with %s requests: %w", pair[i].Name, name, err)
			}
			*into[i] = append(*into[i], sample)
		}
	}
	return result, nil
}

func (s Server) warmUp(ctx context.Context, set []Request, plan Plan) error {
	// One request alone opens the connection that all others share.
	if err := s.Client.send(ctx, set[0], set[0].Body, string(set[0].Body[set[0].uidAt:set[0].uidAt+uidLength])); err != nil {
		return err
	}
	_, err := s.Client.drive(ctx, set, plan.Warmup, plan.Concurrency)
	return err
}

func (s Server) sample(ctx context.Context, set []Request, plan Plan) (Sample, error) {
	before, err := s.Process.Usage()
	if err != nil {
		return Sample{}, err
	}
	l, err := s.Client.drive(ctx, set, plan.Round, plan.Concurrency)
	if err != nil {
		return Sample{}, err
	}
	after, err := s.Process.Usage()
	if err != nil {
		return Sample{}, err
	}
	cpu := (after.CPU - before.CPU) / time.Duration(l.requests)
	if cpu <= 0 {
		return Sample{}, fmt.Errorf("%d requests took no CPU time that can be measured: the round of %s is too short", l.requests, plan.Round)
	}
	return Sample{
		CPU:  cpu,
		Rate: float64(l.requests) / l.elapsed.Seconds(),
		P50:  l.quantile(0.50),
		P99:  l.quantile(0.99),
	}, nil
}
