package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/google/pprof/profile"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

// Profile builds and starts the webhook as Run does, replays each set for one
// round and returns one CPU profile of all, packed for the compiler.
func Profile(ctx context.Context, c *cluster.Cluster, repo string, plan Plan) (packed []byte, err error) {
	log := c.Config().Log
	log("building and starting the webhook")
	g, err := startWebhook(ctx, c, repo, gate.StartProfiled)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, g.Stop(context.WithoutCancel(ctx))) }()
	var profiles []*profile.Profile
	for _, name := range sets {
		set, err := Load(setDir(repo, name))
		if err != nil {
			return nil, err
		}
		client, err := NewClient(g.WorkloadURL(), g.CA(), true)
		if err != nil {
			return nil, err
		}
		log("profiling %d %s requests for %s", len(set), name, plan.Round)
		p, err := Server{Name: "webhook", Process: g.Process(), Client: client}.profile(ctx, set, g.PprofURL(), plan)
		client.Close()
		if err != nil {
			return nil, fmt.Errorf("profiling with %s requests: %w", name, err)
		}
		profiles = append(profiles, p)
	}
	return pack(profiles, packLimit)
}

// profile fetches a CPU profile of the server while it answers.
func (s Server) profile(ctx context.Context, set []Request, pprofURL string, plan Plan) (*profile.Profile, error) {
	ctx, stop := context.WithTimeout(ctx, plan.Bound())
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := s.warmUp(ctx, set, plan); err != nil {
		return nil, fmt.Errorf("warming up: %w", err)
	}
	before, err := s.Process.Usage()
	if err != nil {
		return nil, err
	}
	var p *profile.Profile
	var wg sync.WaitGroup
	wg.Go(func() {
		var err error
		if p, err = fetch(ctx, pprofURL, plan.Round); err != nil {
			cancel(err)
		}
	})
	if _, err := s.Client.drive(ctx, set, plan.Round, plan.Concurrency); err != nil {
		cancel(err)
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	after, err := s.Process.Usage()
	if err != nil {
		return nil, err
	}
	return p, covers(p, after, before)
}

// covers fails when the profile misses half of the CPU time or more: it is not one
// of the load.
func covers(p *profile.Profile, after, before process.Usage) error {
	var seen time.Duration
	for _, s := range p.Sample {
		seen += time.Duration(s.Value[len(s.Value)-1])
	}
	if spent := after.CPU - before.CPU; seen < spent/2 {
		return fmt.Errorf("the profile shows %s of %s of CPU time", seen, spent)
	}
	return nil
}

// fetch asks for a profile of whole seconds, which takes as long.
func fetch(ctx context.Context, pprofURL string, duration time.Duration) (*profile.Profile, error) {
	url := fmt.Sprintf("%s/profile?seconds=%d", pprofURL, int(duration.Seconds()))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, resp.Status)
	}
	p, err := profile.Parse(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the profile: %w", err)
	}
	return p, nil
}
