package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/controller/patch"
	"github.com/hardgate-dev/hardgate/taint/controller/roster"
)

// Controller plans and carries out. It runs while this replica leads.
type Controller struct {
	// Roster is fed while others lead, too.
	Roster *roster.Roster
	Client client.Client
	// Live reads past the cache.
	Live   client.Reader
	Events record.EventRecorder
	// Now is the clock of the API server: what is stored is dated by other leaders, and
	// Exemptions end by it.
	Now func() time.Time
	// Config is but for Started, which is when Listening ends, and Ahead.
	Config taint.Config
	// May is an error once another may lead: nothing is written any more then.
	May func() error
	// Listening waits until the roster knows all that there is.
	Listening func(context.Context) (started time.Time, err error)
	Metrics   *Metrics

	writer   patch.Writer
	agenda   *agenda
	changes  *changes
	bulletin *bulletin

	// What follows is of the planner's goroutine.
	baseline []taint.RuleSet
	// due is since when the taint of a node could have been set that is not there yet.
	due map[string]time.Time
	// told is what was logged last of what is not understood.
	told string
}

// New makes a Controller for a roster that calls its Changed.
func New(r *roster.Roster) *Controller {
	c := &Controller{Roster: r, Now: time.Now, agenda: newAgenda(), changes: newChanges(), due: map[string]time.Time{}}
	r.Changed = c.changes.note
	return c
}

// workers is how many write at the same time, by kind.
var workers = [kinds]int{8, 8, 2}

// conditionsPerSecond bounds the writes of conditions, so that something that befalls
// thousands of nodes at once does not flood the API server. Taints are bounded by the
// budgets.
const (
	conditionsPerSecond = 200
	ordersPerSecond     = 50
)

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (*Controller) NeedLeaderElection() bool { return true }

// Start implements manager.Runnable: it leads until ctx ends. Writes that were begun
// are ended before it returns.
func (c *Controller) Start(ctx context.Context) error {
	log := logf.FromContext(ctx).WithName("taints")
	ctx = logf.IntoContext(ctx, log)
	var err error
	if c.Config.Started, err = c.Listening(ctx); err != nil {
		return ended(ctx, err)
	}
	c.writer = patch.Writer{Client: c.Client, Live: c.Live, May: c.May}
	c.bulletin = newBulletin(c)
	if err := c.catchUp(ctx); err != nil {
		return ended(ctx, err)
	}
	log.Info("leading")
	limits := [kinds]*rate.Limiter{
		rate.NewLimiter(rate.Inf, 1), rate.NewLimiter(conditionsPerSecond, conditionsPerSecond/10), rate.NewLimiter(ordersPerSecond, 1),
	}
	working, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	for k, n := range workers {
		for range n {
			all.Go(func() { c.work(working, kind(k), limits[k]) })
		}
	}
	all.Go(func() { c.bulletin.run(working) })
	err = c.loop(ctx)
	stop()
	c.agenda.close()
	all.Wait()
	return err
}

// ended is nil where all that happened is that the time to lead is over.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

const (
	// pace is how long it is at least from one plan to the next.
	pace = 200 * time.Millisecond
	// page is how many nodes are read at once.
	page = 250
	// patience is how often an API server is asked that does not answer.
	patience = 2 * time.Second
)

// catchUp reads what the last leader wrote and what it went by: rule sets that were
// seen, nodes and reports as they are stored. What informers show may be older, and of
// each kind by another time: a taint whose report has not been seen yet would go.
func (c *Controller) catchUp(ctx context.Context) error {
	for {
		err := c.bulletin.read(ctx)
		if err == nil {
			err = c.readNodes(ctx)
		}
		if err == nil {
			err = c.readReports(ctx)
		}
		if err == nil {
			c.baseline = c.bulletin.baseline()
			return nil
		}
		logf.FromContext(ctx).Error(err, "reading what the last leader wrote; nothing is decided before")
		select {
		case <-ctx.Done():
			return fmt.Errorf("reading what the last leader wrote: %w", ctx.Err())
		case <-time.After(patience):
		}
	}
}

func (c *Controller) readNodes(ctx context.Context) error {
	next := ""
	for {
		var list corev1.NodeList
		if err := c.Live.List(ctx, &list, client.Limit(page), client.Continue(next)); err != nil {
			return fmt.Errorf("listing nodes: %w", err)
		}
		for i := range list.Items {
			c.Roster.Saw(&list.Items[i])
		}
		if next = list.Continue; next == "" {
			return nil
		}
	}
}

func (c *Controller) readReports(ctx context.Context) error {
	next := ""
	for {
		var list roster.NodeReportList
		if err := c.Live.List(ctx, &list, client.Limit(page), client.Continue(next)); err != nil {
			return fmt.Errorf("listing NodeReports: %w", err)
		}
		for i := range list.Items {
			c.Roster.SawReport(&list.Items[i])
		}
		if next = list.Continue; next == "" {
			return nil
		}
	}
}

// loop plans until ctx ends: at once when something changes, though not all the time,
// and when time alone may change something. It is an error when another may lead.
func (c *Controller) loop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var since time.Time
		select {
		case <-ctx.Done():
			return nil
		case <-c.changes.happened:
		case <-timer.C:
			since = time.Now()
		}
		if err := c.May(); err != nil {
			return err
		}
		since = soonest(since, c.changes.take())
		next := c.plan(ctx, since)
		wait := time.Hour // a clock that was ahead may be set meanwhile
		if !next.IsZero() {
			wait = min(wait, next.Sub(c.Now()))
		}
		timer.Reset(max(wait, pace))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pace):
		}
	}
}

// changes wakes the planner.
type changes struct {
	happened chan struct{}
	mu       sync.Mutex
	first    time.Time
}

func newChanges() *changes { return &changes{happened: make(chan struct{}, 1)} }

// note notes that something has changed. It does not block.
func (c *changes) note() {
	c.mu.Lock()
	if c.first.IsZero() {
		c.first = time.Now()
	}
	c.mu.Unlock()
	select {
	case c.happened <- struct{}{}:
	default: // it will be seen with the change before
	}
}

// take returns when the first change was that no plan has seen yet; zero if there is
// none.
func (c *changes) take() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := c.first
	c.first = time.Time{}
	return first
}
