package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/e2e/agent"
	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/e2e/gate"
)

// The goals for a controller and its fleet.
const (
	goalWrites = 20 // a second, by all
	goalRSS    = 150 << 20
	goalSettle = 30 * time.Second
)

// heartbeat is that of the agents.
const heartbeat = 5 * time.Minute

// Measured is what a controller does with a fleet.
type Measured struct {
	Nodes int
	// Start is from the controller's start until every node has its condition.
	Start time.Duration
	// Writes are those of all clients in a second while nothing happens but heartbeats,
	// CPU the share of one core that the controller takes meanwhile.
	Writes, CPU float64
	// Storm is from the last report in which the whole fleet fails until the last change
	// of a node; Stormed is the most nodes that were tainted at once.
	Storm   time.Duration
	Stormed int
	// Few is from the first report in which a twentieth fails until all of those are
	// tainted, of FewNodes.
	Few      time.Duration
	FewNodes int
	// Limit is how many nodes the budget of the cluster allows.
	Limit        int
	RSS, PeakRSS uint64
}

// Measure runs the controller over a fleet of n nodes and prints what it does.
func Measure(ctx context.Context, c *cluster.Cluster, repo string, n int, steady time.Duration, out io.Writer) error {
	cfg, err := c.RESTConfig()
	if err != nil {
		return err
	}
	log := c.Config().Log
	if err := errors.Join(gate.Install(ctx, c, repo), agent.Install(ctx, c, repo), controller.Install(ctx, c, repo)); err != nil {
		return err
	}
	log("making %d nodes with their reports", n)
	begin := time.Now()
	f, err := Create(ctx, cfg, n)
	if err != nil {
		return err
	}
	log("made in %s", time.Since(begin).Round(time.Second))
	if err := apply.Typed(ctx, cfg, Policy()); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return f.Beat(ctx, heartbeat) })
	group.Go(func() error {
		defer cancel()
		m, err := f.measure(ctx, c, cfg, repo, steady)
		if err != nil {
			return err
		}
		_, err = io.WriteString(out, m.Table())
		return err
	})
	return group.Wait()
}

func (f *Fleet) measure(ctx context.Context, c *cluster.Cluster, cfg *rest.Config, repo string, window time.Duration) (m Measured, err error) {
	log := c.Config().Log
	m.Nodes, m.Limit, m.FewNodes = len(f.nodes), len(f.nodes)/10, len(f.nodes)/20
	w, err := f.watch(ctx)
	if err != nil {
		return m, err
	}
	begin := time.Now()
	run, err := controller.Start(ctx, c, repo)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, run.Stop(context.WithoutCancel(ctx))) }()
	at, err := w.await(ctx, 5*time.Minute, func(s seen) bool { return s.compliant == m.Nodes })
	if err != nil {
		return m, fmt.Errorf("waiting for the first verdicts: %w", err)
	}
	m.Start = at.Sub(begin)

	log("every node is judged; nothing happens but heartbeats for %s", window)
	if err := pause(ctx, 10*time.Second); err != nil {
		return m, err
	}
	if m.Writes, m.CPU, err = steady(ctx, cfg, run.Process(), window); err != nil {
		return m, err
	}
	if err := f.storm(ctx, w, &m, log); err != nil {
		return m, err
	}
	if err := f.few(ctx, w, &m, log); err != nil {
		return m, err
	}
	usage, err := run.Process().Usage()
	m.RSS, m.PeakRSS = usage.RSS, usage.PeakRSS
	return m, err
}

// storm lets the whole fleet fail at once, as a wrong rule would, and mends it.
func (f *Fleet) storm(ctx context.Context, w *watcher, m *Measured, log func(string, ...any)) error {
	log("all nodes begin to fail %s", Failing)
	if err := f.Report(ctx, f.nodes, Status([]string{Failing})); err != nil {
		return err
	}
	begin := time.Now()
	last, err := w.quiet(ctx, 5*time.Minute, 10*time.Second)
	if err != nil {
		return fmt.Errorf("waiting for the storm to settle: %w", err)
	}
	m.Storm, m.Stormed = max(0, last.Sub(begin)), w.now().most
	log("all nodes are mended")
	if err := f.Report(ctx, f.nodes, Status(nil)); err != nil {
		return err
	}
	_, err = w.await(ctx, 5*time.Minute, func(s seen) bool { return s.tainted == 0 && s.compliant == m.Nodes })
	if err != nil {
		return fmt.Errorf("waiting for the end of the storm: %w", err)
	}
	return pause(ctx, 5*time.Second)
}

// few lets a twentieth of every pool fail.
func (f *Fleet) few(ctx context.Context, w *watcher, m *Measured, log func(string, ...any)) error {
	log("%d nodes begin to fail %s", m.FewNodes, Failing)
	var some []*corev1.Node
	for i := range m.FewNodes {
		some = append(some, f.nodes[i*20])
	}
	begin := time.Now()
	if err := f.Report(ctx, some, Status([]string{Failing})); err != nil {
		return err
	}
	at, err := w.await(ctx, 5*time.Minute, func(s seen) bool { return s.tainted == m.FewNodes })
	if err != nil {
		return fmt.Errorf("waiting for %d taints: %w", m.FewNodes, err)
	}
	m.Few = at.Sub(begin)
	return nil
}

// Table shows what was measured beside the goals.
func (m Measured) Table() string {
	const mib = 1 << 20
	seconds := time.Duration.Seconds
	return fmt.Sprintf(`The controller over %d nodes; all are judged %.1f s after its start.
                                   measured     goal
writes in the steady state        %7.1f /s %6d /s   (the agents' heartbeats among them)
a fleet-wide failure settles       %7.1f s %7.0f s   (%d tainted, the budget is %d)
%4d nodes fail, and are tainted    %7.1f s %7.0f s
resident memory                  %7.1f MiB %5d MiB   (%.1f MiB at the peak)
steady state, of one core          %6.2f %%
fleet writes=%.1f/s storm=%.1fs tainted=%d few=%.1fs rss=%.1fMiB
`, m.Nodes, seconds(m.Start), m.Writes, goalWrites, seconds(m.Storm), seconds(goalSettle), m.Stormed, m.Limit,
		m.FewNodes, seconds(m.Few), seconds(goalSettle), float64(m.RSS)/mib, goalRSS>>20, float64(m.PeakRSS)/mib, 100*m.CPU,
		m.Writes, seconds(m.Storm), m.Stormed, seconds(m.Few), float64(m.RSS)/mib)
}
