package helm

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/e2e/gate"
)

// clients are how many create pods at the same time, each one after the other, and
// breath how long they wait in between.
const (
	clients = 4
	breath  = 20 * time.Millisecond
)

// stream is a stream of requests in the enforced namespace, where the API server admits
// nothing without the webhook's answer. No request is sent twice.
type stream struct {
	stop context.CancelFunc
	all  sync.WaitGroup

	mu    sync.Mutex
	right int
	wrong []string
}

// begin starts a stream of pods that are to be admitted; with bad, every fourth is one
// that is to be denied.
func begin(t *testing.T, bad bool) *stream {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	s := &stream{stop: stop}
	for range clients {
		s.all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				s.request(ctx, bad && n%4 == 0)
				time.Sleep(breath)
			}
		})
	}
	t.Cleanup(s.end)
	return s
}

func (s *stream) request(ctx context.Context, bad bool) {
	began := time.Now()
	pods := lab.admin.CoreV1().Pods(enforced)
	made, err := pods.Create(ctx, waiting(bad), metav1.CreateOptions{})
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	if bad && gate.Denied(err) || !bad && err == nil {
		s.right++
	} else {
		s.wrong = append(s.wrong, fmt.Sprintf("%s, after %s: a pod, privileged %t: %v",
			began.Format(time.TimeOnly), time.Since(began).Round(time.Millisecond), bad, err))
	}
	s.mu.Unlock()
	if err != nil {
		return
	}
	if err := pods.Delete(ctx, made.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}); err != nil && ctx.Err() == nil && !apierrors.IsNotFound(err) {
		s.mu.Lock()
		s.wrong = append(s.wrong, fmt.Sprintf("deleting a pod: %v", err))
		s.mu.Unlock()
	}
}

// waiting is a pod that no scheduler looks at.
func waiting(privileged bool) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "load-"},
		Spec: corev1.PodSpec{
			SchedulingGates: []corev1.PodSchedulingGate{{Name: "hardgate.dev/never"}},
			Containers: []corev1.Container{{
				Name: "a", Image: "registry.example/a:1", SecurityContext: &corev1.SecurityContext{Privileged: &privileged},
			}},
		},
	}
}

// more waits until that many more requests have been answered.
func (s *stream) more(t *testing.T, n int) {
	t.Helper()
	s.mu.Lock()
	want := s.right + n
	s.mu.Unlock()
	await(t, time.Minute, "more requests are answered", func(context.Context) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.right < want {
			return fmt.Errorf("%d of %d, wrong: %q", s.right, want, s.wrong[:min(3, len(s.wrong))])
		}
		return nil
	})
}

func (s *stream) end() {
	s.stop()
	s.all.Wait()
}

// forgive takes out those that failed with these words: one for each client at most. The
// stream has ended.
func (s *stream) forgive(t *testing.T, words string) {
	t.Helper()
	all := len(s.wrong)
	s.wrong = slices.DeleteFunc(s.wrong, func(w string) bool { return strings.Contains(w, words) })
	if forgiven := all - len(s.wrong); forgiven > clients {
		t.Errorf("%d requests met: %s", forgiven, words)
	} else if forgiven > 0 {
		logf("  %d requests met: %s", forgiven, words)
	}
}

// lost is an error for every request that was not answered as it should. The stream has
// ended.
func (s *stream) lost(t *testing.T) {
	t.Helper()
	for _, w := range s.wrong[:min(5, len(s.wrong))] {
		t.Error(w)
	}
	if len(s.wrong) > 0 {
		t.Errorf("%d requests went wrong, and %d right", len(s.wrong), s.right)
	}
	logf("  %d requests, %d lost", s.right+len(s.wrong), len(s.wrong))
}
