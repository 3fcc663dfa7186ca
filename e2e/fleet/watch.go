package fleet

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/tools/cache"

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
}

type nodeSeen struct{ judged, compliant, tainted bool }

// watch sees the nodes until ctx ends.
func (f *Fleet) watch(ctx context.Context) (*watcher, error) {
	w := &watcher{of: map[string]nodeSeen{}}
	informer := cache.NewSharedInformer(cache.NewListWatchFromClient(f.core.CoreV1().RESTClient(), "nodes", "", fields.Everything()), &corev1.Node{}, 0)
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { w.note(o.(*corev1.Node)) },
		UpdateFunc: func(_, o any) { w.note(o.(*corev1.Node)) },
	})
	if err != nil {
		return nil, fmt.Errorf("watching the nodes: %w", err)
	}
	go informer.RunWithContext(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return nil, fmt.Errorf("watching the nodes: %w", ctx.Err())
	}
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

func (w *watcher) now() seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// await waits until what is seen is so, and returns when that was.
func (w *watcher) await(ctx context.Context, limit time.Duration, so func(seen) bool) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		s := w.now()
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
