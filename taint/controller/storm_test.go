package controller

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/record"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/controller/apitest"
	"github.com/hardgate-dev/hardgate/taint/controller/patch"
	"github.com/hardgate-dev/hardgate/taint/controller/roster"
	"github.com/hardgate-dev/hardgate/taint/key"
)

// sea is a cluster in bad weather: the controller's requests are slow, fail and lose
// their answers, others change the nodes all the time, and informers show late what has
// changed.
type sea struct {
	t      *testing.T
	server *apitest.Server
	roster *roster.Roster
	events chan *corev1.Node

	mu            sync.Mutex
	rand          *rand.Rand
	tainted, most int
	now           map[string]bool
	calm          bool
}

const (
	fleetSize = 60
	allowed   = 6 // a tenth
)

func newSea(t *testing.T, seed uint64) (*sea, *Controller) {
	t.Helper()
	s := &sea{t: t, server: apitest.New(t), events: make(chan *corev1.Node, 100_000), rand: rand.New(rand.NewPCG(seed, 0)), now: map[string]bool{}}
	s.roster = roster.New("hardgate-system", []string{"agentpool"}, nil)
	c := New(s.roster)
	c.Client, c.Live, c.Events = s.server.Client(), s.server.Client(), &record.FakeRecorder{}
	c.May = func() error { return nil }
	c.Metrics = NewMetrics(prometheus.NewRegistry())
	c.Config = taint.Config{DriftedKey: key.Drifted, UnverifiedKey: key.Unverified, Started: time.Now()}
	c.writer = patch.Writer{Client: c.Client, Live: c.Live}
	c.bulletin = newBulletin(c)
	c.baseline = []taint.RuleSet{{RuleSetID: taint.RuleSetID{AgentVersion: "v1", RuleSet: "r1"}, Accepted: true}}
	s.roster.SetPolicy("p", &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "hardgate.dev/v1alpha1", "kind": "NodePolicy", "metadata": map[string]any{"name": "p"},
		"spec": map[string]any{
			"mode": "Enforce", "gracePeriod": "0s", "clearAfter": "0s", "minimumDwell": "0s",
			"budget": map[string]any{"cluster": "10%", "pool": "100%", "correlation": "100%"},
		},
	}})
	s.server.Fate, s.server.Changed = s.fate, s.changed
	return s, c
}

// fate is that of a request of the controller's.
func (s *sea) fate(*http.Request) apitest.Fate {
	s.mu.Lock()
	wait, dice := time.Duration(s.rand.IntN(3000))*time.Microsecond, s.rand.IntN(20)
	if s.calm {
		wait, dice = 0, 0
	}
	s.mu.Unlock()
	time.Sleep(wait)
	switch dice {
	case 16:
		return apitest.Broken
	case 17, 18:
		return apitest.Lost
	case 19:
		return apitest.Late
	}
	return apitest.Answered
}

// changed is called by the server in the order of its writes.
func (s *sea) changed(n *corev1.Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	is := keepsAway(n.Spec.Taints)
	if is != s.now[n.Name] {
		s.now[n.Name] = is
		s.tainted += map[bool]int{true: 1, false: -1}[is]
		s.most = max(s.most, s.tainted)
	}
	s.events <- n
}

// inform shows what has changed, some time later.
func (s *sea) inform(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-s.events:
			s.mu.Lock()
			wait := time.Duration(s.rand.IntN(1500)) * time.Microsecond
			s.mu.Unlock()
			time.Sleep(wait)
			s.roster.SetNode(n)
		}
	}
}

// report lets the agents of some nodes say that all passes, or that something fails.
func (s *sea) report(version int, nodes []*corev1.Node, status string) {
	for _, n := range nodes {
		s.roster.SetReport(&roster.NodeReport{
			ObjectMeta: metav1.ObjectMeta{Name: n.Name, UID: "report-" + n.UID, ResourceVersion: strconv.Itoa(version), OwnerReferences: []metav1.OwnerReference{
				{APIVersion: "v1", Kind: "Node", Name: n.Name, UID: n.UID},
			}},
			Status: roster.NodeReportStatus{AgentVersion: "v1", RuleSet: "r1", Results: allControls(status)},
		})
	}
}

func allControls(crontab string) (list []roster.NodeResult) {
	for _, c := range control.All() {
		if c.Face != control.Node {
			continue
		}
		r := roster.NodeResult{Control: string(c.ID), Status: "Pass"}
		if c.ID == "perm-crontab" {
			r.Status = crontab
		}
		list = append(list, r)
	}
	return list
}

// Never more nodes are tainted than the budget allows, whatever becomes of the writes
// and however late their effects are seen; nobody else's taint is lost; and when the
// weather is fine again all is as planned.
func TestStorm(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s, c := newSea(t, seed)
			var nodes []*corev1.Node
			for i := range fleetSize {
				nodes = append(nodes, s.server.Put(&corev1.Node{
					ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("node-%02d", i)},
					Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
				}))
				s.roster.SetNode(nodes[i])
			}
			s.report(1, nodes, "Pass")
			ctx, cancel := context.WithCancel(t.Context())
			var all sync.WaitGroup
			all.Go(func() { s.inform(ctx) })
			for k, n := range workers {
				for range n {
					all.Go(func() { c.work(ctx, kind(k), rate.NewLimiter(rate.Inf, 1)) })
				}
			}
			others := s.hammer(ctx, &all, nodes)
			s.weather(c, nodes)

			// Fine weather: the last third fails, and the budget is used.
			s.mu.Lock()
			s.calm = true
			s.mu.Unlock()
			s.report(1000, nodes, "Fail")
			s.planUntil(c, func() bool { return s.count() == allowed })
			s.report(1001, nodes, "Pass")
			s.planUntil(c, func() bool { return s.count() == 0 })
			c.agenda.close()
			cancel()
			all.Wait()
			if s.most > allowed || s.most == 0 {
				t.Errorf("%d were tainted at once, %d may be", s.most, allowed)
			}
			t.Logf("%d were tainted at once", s.most)
			for name, n := range others() {
				if got := s.server.Node(name).Spec.Taints; len(got) != n {
					t.Errorf("%s has %d taints of others, not %d: %v", name, len(got), n, got)
				}
			}
		})
	}
}

// weather plans while nodes fail and are mended at random.
func (s *sea) weather(c *Controller, nodes []*corev1.Node) {
	for round := range 40 {
		s.mu.Lock()
		some := slices.Clone(nodes)
		s.rand.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		n := s.rand.IntN(len(some))
		s.mu.Unlock()
		s.report(2+2*round, some[:n], "Fail")
		s.report(3+2*round, some[n:], "Pass")
		for range 3 {
			c.plan(s.t.Context(), time.Now())
			time.Sleep(4 * time.Millisecond)
		}
	}
}

// hammer adds taints to nodes as others do. The function that it returns says how many
// there are of each, when all has ended.
func (s *sea) hammer(ctx context.Context, all *sync.WaitGroup, nodes []*corev1.Node) func() map[string]int {
	added := map[string]int{}
	all.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			name := nodes[i%len(nodes)].Name
			s.server.Edit(name, func(n *corev1.Node) {
				t := corev1.Taint{Key: fmt.Sprintf("example.com/%d", i), Effect: corev1.TaintEffectPreferNoSchedule}
				n.Spec.Taints = append(n.Spec.Taints, t)
			})
			added[name]++
			time.Sleep(2 * time.Millisecond)
		}
	})
	return func() map[string]int { return added }
}

func (s *sea) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tainted
}

// planUntil plans until something is so.
func (s *sea) planUntil(c *Controller, is func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		c.plan(s.t.Context(), time.Now())
		if time.Now().After(deadline) {
			s.t.Errorf("%d are tainted after all that time", s.count())
			return
		}
	}
}
