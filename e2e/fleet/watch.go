package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/key"
)

// seen is what a watch sees of the fleet.
type seen struct {
	judged, compliant, tainted int
	most                       int // the most that were tainted at once
	changed                    time.Time
}

// watcher counts verdicts and taints as they come.
type watcher struct {
	mu   sync.Mutex
	seen seen
	of   map[string]nodeSeen
	err  error
}

type nodeSeen struct{ judged, compliant, tainted bool }

// watch sees the nodes until ctx ends.
func (f *Fleet) watch(ctx context.Context) (*watcher, error) {
	w := &watcher{of: map[string]nodeSeen{}}
	list, err := f.core.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("watching the nodes: %w", err)
	}
	for i := range list.Items {
		w.note(&list.Items[i])
	}
	events, err := f.core.CoreV1().Nodes().Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		return nil, fmt.Errorf("watching the nodes: %w", err)
	}
	go func() {
		defer events.Stop()
		for e := range events.ResultChan() {
			if node, ok := e.Object.(*corev1.Node); ok {
				w.note(node)
			}
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.err = errors.New("the watch of nodes has ended"); ctx.Err() != nil {
			w.err = ctx.Err()
		}
	}()
	return w, nil
}

func (w *watcher) note(node *corev1.Node) {
	var now nodeSeen
	for _, c := range node.Status.Conditions {
		if c.Type == taint.ConditionCompliant {
			now.judged, now.compliant = true, c.Status == corev1.ConditionTrue
		}
	}
	for _, t := range node.Spec.Taints {
		now.tainted = now.tainted || key.IsDrifted(t.Key)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.of[node.Name]
	if before == now {
		return
	}
	w.of[node.Name] = now
	s := &w.seen
	s.judged += step(before.judged, now.judged)
	s.compliant += step(before.compliant, now.compliant)
	s.tainted += step(before.tainted, now.tainted)
	s.most = max(s.most, s.tainted)
	s.changed = time.Now()
}

func step(before, now bool) int {
	switch {
	case now && !before:
		return 1
	case before && !now:
		return -1
	}
	return 0
}

func (w *watcher) now() (seen, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen, w.err
}

// await waits until what is seen is so, and returns when that was.
func (w *watcher) await(ctx context.Context, limit time.Duration, so func(seen) bool) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		s, err := w.now()
		if err != nil {
			return time.Time{}, err
		}
		if so(s) {
			return s.changed, nil
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return time.Time{}, fmt.Errorf("%w with %+v", err, s)
		}
	}
}

// quiet waits until nothing has changed for a while, and returns when the last change
// was.
func (w *watcher) quiet(ctx context.Context, limit, still time.Duration) (time.Time, error) {
	begin := time.Now()
	return w.await(ctx, limit, func(s seen) bool { return time.Since(s.changed) > still && time.Since(begin) > still })
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
