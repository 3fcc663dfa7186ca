package nodecheck

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/nodecheck/check"
	"github.com/hardgate-dev/hardgate/nodecheck/delivery"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/watch"
)

// files is a node with one file that a test may change.
type files struct {
	host.FS
	mu      sync.Mutex
	content string
	reads   int
}

func (f *files) ReadFile(name string, limit int64) ([]byte, host.Info, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if name != "/etc/a" {
		return f.FS.ReadFile(name, limit)
	}
	f.reads++
	return []byte(f.content), host.Info{Path: name}, nil
}

func (f *files) set(content string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.content = content
}

func (f *files) scans() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reads
}

// watcher reports what a test says.
type watcher struct {
	changed chan struct{}
	mu      sync.Mutex
	polled  []string
	added   int
}

func (w *watcher) Changed() <-chan struct{} { return w.changed }
func (w *watcher) Take() []string           { return []string{"/etc/a"} }
func (w *watcher) Mattered(bool)            {}
func (w *watcher) Renew()                   {}
func (w *watcher) Watched() (int, bool)     { return 1, false }

func (w *watcher) Follow(context.Context, watch.Looked) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.added--
	return w.added >= 0
}

func (w *watcher) Poll() ([]string, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.polled
	w.polled = nil
	return list, 0
}

func (w *watcher) poll(paths ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.polled = paths
}

// delivered is what an agent delivers.
type delivered struct {
	v1alpha1.NodeReportStatus

	by delivery.Order
}

// running is an agent at work.
type running struct {
	*Agent
	files     *files
	watcher   *watcher
	delivered chan delivered
	orders    chan delivery.Order
	asked     atomic.Int64 // for what listens
}

func newAgent(t *testing.T, kubelet Kubelet, added int) *running {
	t.Helper()
	r := stopped(t, "-- etc/x --\n")
	r.Kubelet, r.watcher.added = kubelet, added
	r.start(t)
	return r
}

// stopped is an agent that start starts.
func stopped(t *testing.T, text string) *running {
	t.Helper()
	r := &running{
		files:   &files{FS: tree(t, text), content: "good"},
		watcher: &watcher{changed: make(chan struct{}, 1)}, delivered: make(chan delivered, 100),
		orders: make(chan delivery.Order, 1),
	}
	r.Agent = &Agent{
		Scanner: &Scanner{
			Files: r.files, Checks: []*check.Check{reads("a", "/etc/a")}, Rules: check.NewRules(), Patience: time.Minute,
		},
		Watcher: r.watcher, Metrics: NewMetrics(prometheus.NewRegistry()),
		Interval: time.Hour, Poll: 5 * time.Millisecond, Orders: r.orders,
		Listeners: func() ([]netip.AddrPort, error) {
			r.asked.Add(1)
			return nil, errors.New("not permitted")
		},
		Deliver: func(data []byte, by delivery.Order) {
			var s v1alpha1.NodeReportStatus
			if err := json.Unmarshal(data, &s); err != nil {
				t.Error(err)
			}
			r.delivered <- delivered{s, by}
		},
	}
	return r
}

func (r *running) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func (r *running) want(t *testing.T, status string) {
	t.Helper()
	select {
	case s := <-r.delivered:
		if s.Results[0].Status != status {
			t.Fatalf("delivered is %+v, want %s", s.Results, status)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("nothing is delivered, want %s", status)
	}
}

func (r *running) nothing(t *testing.T) {
	t.Helper()
	select {
	case s := <-r.delivered:
		t.Fatalf("delivered is %+v", s.Results)
	case <-time.After(20 * time.Millisecond):
	}
}
