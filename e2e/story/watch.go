package story

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// sighting is a Node as a watch has shown it, and when.
type sighting struct {
	at   time.Time
	node *corev1.Node
}

// watcher keeps what it has seen of one Node: a state that lasts for some milliseconds
// only is not missed, and what is seen while nobody waits has its right time.
type watcher struct {
	watch watch.Interface

	mu    sync.Mutex
	seen  []sighting
	more  chan struct{} // closed at the next sighting
	ended bool
}

func newWatcher(ctx context.Context, core kubernetes.Interface, name string) (*watcher, error) {
	w, err := core.CoreV1().Nodes().Watch(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, name).String(),
	})
	if err != nil {
		return nil, fmt.Errorf("watching the node %s: %w", name, err)
	}
	watcher := &watcher{watch: w, more: make(chan struct{})}
	go watcher.look()
	return watcher, nil
}

func (w *watcher) stop() { w.watch.Stop() }

func (w *watcher) look() {
	for event := range w.watch.ResultChan() {
		node, ok := event.Object.(*corev1.Node)
		if ok && event.Type != watch.Deleted {
			w.note(func() { w.seen = append(w.seen, sighting{at: time.Now(), node: node}) })
		}
	}
	w.note(func() { w.ended = true })
}

func (w *watcher) note(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do()
	close(w.more)
	w.more = make(chan struct{})
}

// await returns the first sighting, no earlier than since, of what is looked for. what
// says it in words.
func (w *watcher) await(ctx context.Context, since time.Time, what string, is func(*corev1.Node) bool) (sighting, error) {
	const limit = time.Minute
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		w.mu.Lock()
		seen, more, ended := w.seen, w.more, w.ended
		w.mu.Unlock()
		for _, s := range seen {
			if !s.at.Before(since) && is(s.node) {
				return s, nil
			}
		}
		if ended {
			return sighting{}, fmt.Errorf("waiting until %s: the watch has ended", what)
		}
		select {
		case <-more:
		case <-ctx.Done():
			return sighting{}, fmt.Errorf("waiting until %s: %w; %s", what, context.Cause(ctx), describe(seen))
		}
	}
}

// describe is the node as it was seen last, for messages.
func describe(seen []sighting) string {
	if len(seen) == 0 {
		return "it was never seen"
	}
	node := seen[len(seen)-1].node
	text := []string{fmt.Sprintf("its taints are %v", node.Spec.Taints)}
	for _, c := range node.Status.Conditions {
		text = append(text, fmt.Sprintf("%s=%s (%s) %s", c.Type, c.Status, c.Reason, c.Message))
	}
	return strings.Join(text, "; ")
}
