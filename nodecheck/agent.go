package nodecheck

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/nodecheck/delivery"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/process"
	"github.com/hardgate-dev/hardgate/nodecheck/synopsis"
	"github.com/hardgate-dev/hardgate/nodecheck/watch"
)

// Watcher tells what has changed of what a scan looked at; *watch.Watcher does.
type Watcher interface {
	Changed() <-chan struct{}
	Take() []string
	Follow(context.Context, watch.Looked) (added bool)
	Renew()
	Poll() (changed []string, cost time.Duration)
	Mattered(bool)
	Watched() (directories int, limited bool)
}

// Parts are the directories of the node where they are mounted one by one; *host.Root has
// them.
type Parts interface {
	Parts() []string
	// Replaced is an error where a part is not the node's any more.
	Replaced() error
	// Remounted is whether it may be, by what the node has mounted since the last call.
	Remounted() bool
}

// Agent scans a node again and again.
type Agent struct {
	Scanner *Scanner
	Watcher Watcher
	Kubelet Kubelet // nil: only the kubelet's files are judged
	// Listeners tells which ports something listens on; nil: that is not judged.
	Listeners func() ([]netip.AddrPort, error)
	// Deliver takes the JSON of a status, and the order that was the latest when it was
	// made, whenever either is another.
	Deliver func([]byte, delivery.Order)
	// Orders brings what the report asks for. Without an order, or after one that asks
	// for nothing, the Scanner's checks and rules are those that it came with.
	Orders <-chan delivery.Order
	// Parts are nil where the whole root of the node is mounted. A part that another directory
	// takes the place of is seen as it was until it is mounted anew, as it is when the agent
	// is started again: Run ends with an error.
	Parts Parts
	// Self is what the report says of the agent; of its rules, of those that the Scanner
	// came with.
	Self    synopsis.Agent
	Metrics *Metrics
	// Interval is the time between full passes, Poll that between two looks at what
	// reports no changes.
	Interval, Poll time.Duration

	account account
	limit   *rate.Limiter
	last    []byte // of what was delivered, the latest, and by which order
	lastBy  delivery.Order
	own     ruling // by the flags
	order   delivery.Order
	obeyed  delivery.Order // whose rules are in force; zero if own are
	// success is when the last scan came to its end. It is a time.Time for its monotonic
	// clock: that of the wall is set on nodes that have just started.
	success atomic.Pointer[time.Time]
	// later are scans that are still to come after a change that takes its time.
	later []time.Time
}

// What comes together is scanned together: a package that is installed, an editor
// that writes a copy and renames it.
const (
	quiet   = 100 * time.Millisecond
	ceiling = 400 * time.Millisecond
)

// Scans for changes: the first few at once, then one in a while. Somebody who changes
// a file without end must not make the agent burn the node's CPU.
const (
	burst = 10
	every = 5 * time.Second
)

// share is the part of a core that polling may take; where it would take more, it is
// done less often, down to maxPoll times the interval.
const (
	share   = 1000
	maxPoll = 5
)

// settle is when it is looked again after a process has ended: another takes its
// place, and tells its configuration a little later.
var settle = []time.Duration{2 * time.Second, 10 * time.Second, time.Minute}

// Run scans until ctx ends, or what is mounted is not the node's any more.
func (a *Agent) Run(ctx context.Context) error {
	a.limit = rate.NewLimiter(rate.Every(every), burst)
	a.account = account{kubelet: a.Kubelet, again: max(a.Poll, 15*time.Second), patience: 5 * time.Second}
	a.Scanner.Prepare, a.Scanner.Finish = func(h *host.Host) { a.provide(ctx, h) }, a.account.learn
	a.own = ruling{checks: a.Scanner.Checks, rules: a.Scanner.Rules, says: a.Self}
	a.scan(ctx, causeFull, nil)
	full, poll := time.NewTimer(a.spread()), time.NewTimer(a.Poll)
	defer full.Stop()
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.Watcher.Changed():
			a.settle(ctx)
			if a.limit.Wait(ctx) != nil {
				return nil
			}
			// What came while the last changes were taken was taken with them.
			changed := a.Watcher.Take()
			if err := a.replaced(changed); err != nil {
				return err
			}
			if len(changed) > 0 {
				a.scan(ctx, causeChange, changed)
			}
		case o := <-a.Orders:
			a.follow(ctx, o)
			a.scan(ctx, causeRules, nil)
		case <-poll.C:
			// No one reports that a file system was taken off a part.
			if a.Parts != nil && a.Parts.Remounted() {
				if err := a.Parts.Replaced(); err != nil {
					return err
				}
			}
			poll.Reset(a.poll(ctx))
		case <-full.C:
			if a.Parts != nil {
				if err := a.Parts.Replaced(); err != nil {
					return err
				}
			}
			a.account.due = time.Time{}
			a.Watcher.Renew()
			a.scan(ctx, causeFull, nil)
			full.Reset(a.spread())
		}
	}
}

// provide hands a scan what no file says.
func (a *Agent) provide(ctx context.Context, h *host.Host) {
	a.account.provide(h)
	if a.Listeners == nil {
		return
	}
	list, err := a.Listeners()
	if err != nil {
		logf.FromContext(ctx).V(1).Info("what listens is not known; the configuration alone is judged", "cause", err.Error())
		return
	}
	host.Provide(h, process.Listeners(list))
}

// replaced is an error where a part is not the node's any more. It is looked for if
// something happened to a part itself and not only in it, which is reported by its own path.
func (a *Agent) replaced(changed []string) error {
	if a.Parts == nil {
		return nil
	}
	for _, dir := range a.Parts.Parts() {
		if slices.Contains(changed, dir) || slices.Contains(changed, "/") {
			return a.Parts.Replaced()
		}
	}
	return nil
}

// settle waits until nothing more comes, but not for long.
func (a *Agent) settle(ctx context.Context) {
	end, still := time.NewTimer(ceiling), time.NewTimer(quiet)
	defer end.Stop()
	defer still.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-end.C:
			return
		case <-still.C:
			return
		case <-a.Watcher.Changed():
			still.Reset(quiet)
		}
	}
}

// poll looks at what reports nothing, scans if there is a reason, and returns when to
// do so again.
func (a *Agent) poll(ctx context.Context) time.Duration {
	begin := time.Now()
	changed, cost := a.Watcher.Poll()
	switch {
	case len(changed) > 0:
		if a.limit.Wait(ctx) == nil {
			a.Watcher.Mattered(a.scan(ctx, causePoll, changed))
		}
	case len(a.later) > 0 && !begin.Before(a.later[0]):
		a.later = a.later[1:]
		a.account.due = time.Time{}
		a.scan(ctx, causeLater, nil)
	case a.Kubelet != nil && a.account.answered && !a.account.known() && !begin.Before(a.account.due):
		a.scan(ctx, causeLater, nil)
	}
	return min(max(a.Poll, share*cost), maxPoll*a.Poll)
}

// scan judges the node, and hands over what it found if that is something else than
// before, which it returns. changed are the paths that it is made for.
func (a *Agent) scan(ctx context.Context, cause string, changed []string) bool {
	log := logf.FromContext(ctx).WithName("scan")
	// What a scan read is let go of at once, and not when as much has come together
	// again: it is most of the heap, and the next scan may be minutes away.
	defer runtime.GC()
	a.account.refresh(ctx, changed, a.Interval)
	for _, path := range changed {
		if strings.HasPrefix(path, "/proc/") && strings.HasSuffix(path, "/cmdline") {
			a.later = nil
			for _, d := range settle {
				a.later = append(a.later, time.Now().Add(d))
			}
		}
	}
	var out Outcome
	// What happened in a directory before it was watched was not seen.
	for range 3 {
		var err error
		if out, err = a.Scanner.Scan(ctx); ctx.Err() != nil {
			return false
		} else if err != nil {
			log.Error(err, "the scan broke; the report stays as it is")
			a.Metrics.failed()
			return false
		}
		a.Metrics.scanned(cause, out, a.Scanner.Hanging())
		if !a.Watcher.Follow(ctx, out.Looked) {
			break
		}
	}
	now := time.Now()
	a.success.Store(&now)
	a.Metrics.watching(a.Watcher.Watched())
	a.Metrics.account(a.account.known())
	status, data, err := synopsis.Status(out.Verdicts, out.OS, a.Self)
	if err != nil {
		log.Error(err, "the scan is not reported")
		a.Metrics.failed()
		return false
	}
	if bytes.Equal(data, a.last) && a.order == a.lastBy {
		log.V(1).Info("nothing new", "cause", cause, "changed", changed, "took", out.Took.String())
		return false
	}
	a.last, a.lastBy = data, a.order
	s := status.Summary
	log.Info("verdicts", "cause", cause, "changed", changed, "pass", s.Pass, "fail", s.Fail, "unknown", s.Unknown,
		"manual", s.Manual, "notApplicable", s.NotApplicable, "exempt", s.Exempt, "took", out.Took.String())
	a.Deliver(data, a.order)
	return true
}

// Alive is an error unless a scan came to its end not long ago.
func (a *Agent) Alive() error {
	last := a.success.Load()
	if last == nil {
		return fmt.Errorf("the first scan has not come to its end")
	}
	if ago := time.Since(*last); ago > 2*a.Interval+time.Minute {
		return fmt.Errorf("the last scan came to its end %s ago", ago.Round(time.Second))
	}
	return nil
}

// spread keeps many nodes from doing the same at the same time.
func (a *Agent) spread() time.Duration {
	return a.Interval - a.Interval/10 + rand.N(a.Interval/5+1) //nolint:gosec // spreads load, protects nothing
}
