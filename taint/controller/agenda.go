package controller

import (
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/controller/roster"
)

// kind is what is written.
type kind int

const (
	ofTaints kind = iota
	ofConditions
	ofOrders
	kinds = 3
)

// String names the kind in metrics and logs.
func (k kind) String() string { return [kinds]string{"taints", "conditions", "orders"}[k] }

// task is one write that is due.
type task struct {
	kind kind
	node string
	// decision is of the first two kinds, order of the last.
	decision *taint.Decision
	order    roster.Order
	// due is since when its reason is known.
	due time.Time
	// base is the node as it was when its taints were begun, unsure whether an earlier
	// write may still come to pass.
	base   *corev1.Node
	unsure bool
}

// agenda is what is to be written by the plan of now. Each plan replaces it: what was
// planned before and has not been begun is not done. One write at a time for each
// node, the taints first.
type agenda struct {
	mu   sync.Mutex
	turn sync.Cond
	// planning keeps everybody from beginning: what is begun must be seen by the plan.
	planning, closed bool
	waiting          [kinds][]task
	// tainted are the nodes whose taints wait.
	tainted map[string]bool
	// busy has what is being written of which nodes.
	busy   map[string]kind
	failed map[failure]backoff
}

// failure is a write that failed.
type failure struct {
	kind kind
	node string
}

type backoff struct {
	times int
	until time.Time
}

const (
	firstRetry = time.Second
	maxRetry   = time.Minute
)

func newAgenda() *agenda {
	a := &agenda{tainted: map[string]bool{}, busy: map[string]kind{}, failed: map[failure]backoff{}}
	a.turn.L = &a.mu
	return a
}

// hold keeps tasks from being begun until post.
func (a *agenda) hold() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.planning = true
}

// post replaces what is to be done, and lets it begin. It returns when a task that
// failed before is due again; zero if there is none.
func (a *agenda) post(tasks []task, now time.Time) (next time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting, a.tainted, a.planning = [kinds][]task{}, map[string]bool{}, false
	still := map[failure]backoff{}
	for _, t := range tasks {
		f := failure{t.kind, t.node}
		if b, ok := a.failed[f]; ok {
			still[f] = b
			if now.Before(b.until) {
				next = soonest(next, b.until)
				continue
			}
		}
		if t.kind == ofTaints {
			a.tainted[t.node] = true
		}
		a.waiting[t.kind] = append(a.waiting[t.kind], t)
	}
	for f, b := range a.failed {
		if _, busy := a.busy[f.node]; busy {
			still[f] = b
		}
	}
	a.failed = still
	a.turn.Broadcast()
	return next
}

// take waits for a task of a kind, and calls begin while no plan can be under way. It
// returns false when the agenda is closed, or begin says no.
func (a *agenda) take(k kind, begin func(*task) bool) (task, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for {
		if a.closed {
			return task{}, false
		}
		if i := a.free(k); i >= 0 {
			t := a.waiting[k][i]
			if !begin(&t) {
				return task{}, false
			}
			// The first is mostly the one, so that there is little to move.
			copy(a.waiting[k][1:i+1], a.waiting[k][:i])
			a.waiting[k] = a.waiting[k][1:]
			if k == ofTaints {
				delete(a.tainted, t.node)
			}
			a.busy[t.node] = t.kind
			return t, true
		}
		a.turn.Wait()
	}
}

// free is the index of the first task of a kind that may begin; -1 if there is none.
func (a *agenda) free(k kind) int {
	if a.planning {
		return -1
	}
	for i, t := range a.waiting[k] {
		if _, busy := a.busy[t.node]; !busy && (k != ofConditions || !a.tainted[t.node]) {
			return i
		}
	}
	return -1
}

// done notes that a task has ended, well or not.
func (a *agenda) done(t task, ok bool, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.busy, t.node)
	f := failure{t.kind, t.node}
	if ok {
		delete(a.failed, f)
	} else {
		b := a.failed[f]
		b.until = now.Add(min(firstRetry<<min(b.times, 10), maxRetry))
		b.times++
		a.failed[f] = b
	}
	a.turn.Broadcast()
}

// tainting is whether the taints of a node are being written.
func (a *agenda) tainting(node string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	k, busy := a.busy[node]
	return busy && k == ofTaints
}

// close ends the work: nothing more is begun.
func (a *agenda) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	a.turn.Broadcast()
}

// soonest is the earlier of two times; zero is none.
func soonest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
