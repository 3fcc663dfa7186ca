package process

import (
	"context"
	"strings"
	"time"
)

// Service is a program that listens, and how to tell that it is ready.
type Service struct {
	Ports    *Ports
	Purposes []string // the ports that it listens on
	// Program is called once the ports are chosen, and again with other ports.
	Program func() Program
	// Ready asks the running program; it may use the ports.
	Ready func(context.Context) error
	Limit time.Duration // from start to ready
	Grace time.Duration // from SIGTERM to SIGKILL
	// Log tells a person what is being done.
	Log func(format string, args ...any)
}

// Ensure keeps the program if it runs as defined and is ready, and otherwise
// starts it anew. started says which. After an error, r is a program that was
// started and did not become ready, or nil.
func (s Service) Ensure(ctx context.Context) (r *Running, started bool, err error) {
	p := s.Program()
	old, found, err := Find(p.Dir, p.Name)
	if err != nil {
		return nil, false, err
	}
	if found {
		keep, err := s.keep(ctx, old)
		if err != nil {
			return nil, false, err
		}
		if keep {
			s.Log("%s is running", p.Name)
			return old, false, nil
		}
		s.Log("%s is out of date or does not answer: replacing it", p.Name)
		if err := old.Stop(ctx, s.Grace); err != nil {
			return nil, false, err
		}
	}
	// Between choosing a port and listening on it, another program may take it.
	const attempts = 3
	for attempt := 1; ; attempt++ {
		r, err = s.launch(ctx)
		if err == nil || attempt == attempts || !strings.Contains(err.Error(), "address already in use") {
			return r, r != nil, err
		}
		s.Log("another program took a port of %s: trying others", p.Name)
		s.Ports.forget(s.Purposes)
	}
}

func (s Service) keep(ctx context.Context, r *Running) (bool, error) {
	if same, err := r.Is(s.Program()); err != nil || !same {
		return false, err
	}
	// What it depends on may just have been started anew, and connections are
	// tried again less and less often.
	const patience = 15 * time.Second
	return r.Await(ctx, patience, s.Ready) == nil, ctx.Err()
}

func (s Service) launch(ctx context.Context) (*Running, error) {
	if err := s.Ports.Choose(s.Purposes); err != nil {
		return nil, err
	}
	p := s.Program()
	s.Log("starting %s", p.Name)
	r, err := p.Start(ctx)
	if err != nil {
		return nil, err
	}
	err = r.Await(ctx, s.Limit, s.Ready)
	return r, err
}
