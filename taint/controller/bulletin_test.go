package controller

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/taint"
)

// shelf is a client that has room for the one ClusterReport.
type shelf struct {
	client.Client

	mu     sync.Mutex
	report *v1alpha1.ClusterReport
	made   int
	writes int
	err    error
}

func (s *shelf) Status() client.SubResourceWriter { return statusOf{shelf: s} }

// statusOf is the client of the report's status.
type statusOf struct {
	client.SubResourceWriter
	shelf *shelf
}

func (s *shelf) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.report == nil {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "clusterreports"}, key.Name)
	}
	s.report.DeepCopyInto(into.(*v1alpha1.ClusterReport))
	return s.err
}

func (s *shelf) Create(_ context.Context, o client.Object, _ ...client.CreateOption) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.report != nil {
		return apierrors.NewAlreadyExists(schema.GroupResource{Resource: "clusterreports"}, o.GetName())
	}
	s.made++
	s.report = o.DeepCopyObject().(*v1alpha1.ClusterReport)
	s.report.UID = types.UID(strings.Repeat("u", s.made))
	return s.err
}

func (o statusOf) Patch(ctx context.Context, obj client.Object, patch client.Patch, _ ...client.SubResourcePatchOption) error {
	return o.shelf.write(ctx, obj, patch)
}

func (s *shelf) write(_ context.Context, o client.Object, patch client.Patch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if s.report == nil {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "clusterreports"}, o.GetName())
	}
	data, err := patch.Data(o)
	if err != nil {
		return err
	}
	s.report.Status = v1alpha1.ClusterReportStatus{} // the patch has all of it
	s.writes++
	if err := json.Unmarshal(data, s.report); err != nil {
		return err
	}
	s.report.DeepCopyInto(o.(*v1alpha1.ClusterReport))
	return nil
}

// seen is what is stored: how many nodes there are, and how often that was written.
type seen struct {
	Nodes, Writes int
}

func (s *shelf) seen() seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.report == nil {
		return seen{Nodes: -1, Writes: s.writes}
	}
	return seen{Nodes: int(s.report.Status.Nodes.Total), Writes: s.writes}
}

func (s *shelf) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *shelf) edit(change func(**v1alpha1.ClusterReport)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.report)
}

func controllerOf(s *shelf, recorder record.EventRecorder) *Controller {
	return &Controller{
		Client: s, Live: s, Events: recorder, Metrics: NewMetrics(prometheus.NewRegistry()), May: func() error { return nil },
	}
}

func TestBulletin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, recorder := &shelf{}, record.NewFakeRecorder(10)
		b := newBulletin(controllerOf(s, recorder))
		if err := b.read(t.Context()); err != nil {
			t.Fatal(err)
		}
		complaints := 0
		log := funcr.New(func(_, _ string) { complaints++ }, funcr.Options{})
		ctx, cancel := context.WithCancel(logf.IntoContext(t.Context(), log))
		go b.run(ctx)
		of := func(total int, stops ...taint.Stop) v1alpha1.ClusterReportStatus {
			out := taint.Outcome{Counts: taint.Counts{Total: total}, Stops: stops}
			if total > 0 {
				out.Baseline = []taint.RuleSet{{RuleSetID: taint.RuleSetID{AgentVersion: "v1", RuleSet: "r", Orders: "o"}, FirstSeen: now, Accepted: true}}
			}
			return status(out, taint.Fleet{})
		}
		expect := func(what string, want seen) {
			t.Helper()
			synctest.Wait()
			if diff := cmp.Diff(want, s.seen()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		b.offer(of(1))
		expect("the first", seen{1, 1})
		for i := range 10 {
			b.offer(of(2 + i))
			time.Sleep(100 * time.Millisecond)
		}
		expect("within the pace", seen{1, 1})
		time.Sleep(bulletinPace)
		expect("after it, the last alone", seen{11, 2})
		for range 10 {
			time.Sleep(bulletinPace)
			b.offer(of(11))
		}
		expect("the same again", seen{11, 2})

		s.refuse(errors.New("refused"))
		b.offer(of(12))
		time.Sleep(3 * bulletinPace)
		expect("while the server refuses", seen{11, 2})
		if complaints != 1 {
			t.Errorf("it is said %d times that the server refuses", complaints)
		}
		s.refuse(nil)
		time.Sleep(bulletinPace)
		expect("when it no longer does", seen{12, 3})

		s.edit(func(r **v1alpha1.ClusterReport) { *r = nil })
		time.Sleep(lookAfter + bulletinPace)
		expect("after somebody has deleted it", seen{12, 4})
		s.edit(func(r **v1alpha1.ClusterReport) { *r = nil })
		b.offer(of(13))
		time.Sleep(bulletinPace)
		expect("deleted just before a change", seen{13, 5})
		s.edit(func(r **v1alpha1.ClusterReport) { (*r).Status.RuleSets = nil })
		time.Sleep(lookAfter + bulletinPace)
		expect("after somebody has changed it", seen{13, 6})
		b.offer(of(0))
		time.Sleep(bulletinPace)
		s.edit(func(r **v1alpha1.ClusterReport) {
			if len((*r).Status.RuleSets) > 0 {
				t.Error("rule sets that are gone are stored still")
			}
		})

		// The Events of a stop: when it begins, when it is about more, when it ends.
		for _, stops := range [][]taint.Stop{
			{{Control: "a", Failing: 5, Nodes: 10}}, {{Control: "a", Failing: 6, Nodes: 10}}, {{Control: "a", Failing: 6, Nodes: 10}, {Control: "b", Failing: 4, Nodes: 10}}, nil, nil,
		} {
			b.offer(of(10, stops...))
			time.Sleep(bulletinPace)
		}
		b.offer(of(10, taint.Stop{Control: "c", Failing: 5, Nodes: 10}))
		time.Sleep(bulletinPace)
		cancel()
		synctest.Wait()
		// The next leader finds it so: that is no Event.
		next := newBulletin(controllerOf(s, recorder))
		if err := next.read(t.Context()); err != nil {
			t.Fatal(err)
		}
		next.offer(of(11, taint.Stop{Control: "c", Failing: 6, Nodes: 11}))
		if err := next.write(t.Context()); err != nil {
			t.Fatal(err)
		}
		close(recorder.Events)
		var events []string
		for e := range recorder.Events {
			before, _, _ := strings.Cut(e, ". ")
			events = append(events, before)
		}
		want := []string{
			"Warning CorrelationStop Nobody new is tainted because of a", "Warning CorrelationStop Nobody new is tainted because of a, b",
			"Normal CorrelationStopEnded No enforced control is failed by too many nodes any more.", "Warning CorrelationStop Nobody new is tainted because of c",
		}
		if diff := cmp.Diff(want, events); diff != "" {
			t.Error(diff)
		}
		if got := next.baseline(); len(got) != 1 || !got[0].Accepted || got[0].Orders != "o" || !got[0].FirstSeen.Equal(now) {
			t.Errorf("baseline %+v", got)
		}
	})
}

// The time of a transition is that of the transition, and not of each write.
func TestBulletinKeepsTransitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		b := newBulletin(controllerOf(s, record.NewFakeRecorder(10)))
		write := func(total int, paused string) v1alpha1.ClusterReportStatus {
			t.Helper()
			b.offer(status(taint.Outcome{Counts: taint.Counts{Total: total}}, taint.Fleet{Paused: paused}))
			if err := b.write(t.Context()); err != nil {
				t.Fatal(err)
			}
			return s.report.Status
		}
		first := write(1, "")
		time.Sleep(time.Hour)
		second := write(2, "the namespace")
		if len(second.Conditions) != 4 {
			t.Fatalf("%+v", second.Conditions)
		}
		for i := range second.Conditions {
			a, b := first.Conditions[i], second.Conditions[i]
			if moved := !a.LastTransitionTime.Equal(&b.LastTransitionTime); moved != (b.Type == v1alpha1.ConditionPaused) {
				t.Errorf("%s: from %s to %s", b.Type, a.LastTransitionTime, b.LastTransitionTime)
			}
		}
	})
}
