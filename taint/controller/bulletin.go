package controller

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/controller/patch"
)

// bulletin keeps the ClusterReport. It is written when it says something else, and not
// all the time.
type bulletin struct {
	client  client.Client
	live    client.Reader
	events  record.EventRecorder
	metrics *Metrics
	may     func() error

	mu     sync.Mutex
	wanted *v1alpha1.ClusterReportStatus
	waits  chan struct{}

	// stored is what was read or written last: of the goroutine that runs.
	stored v1alpha1.ClusterReport
}

func newBulletin(c *Controller) *bulletin {
	return &bulletin{client: c.Client, live: c.Live, events: c.Events, metrics: c.Metrics, may: c.May, waits: make(chan struct{}, 1)}
}

// The reasons of Events on the ClusterReport.
const (
	eventStopped = "CorrelationStop"
	eventResumed = "CorrelationStopEnded"
)

const (
	// bulletinPace is how long it is at least from one write to the next.
	bulletinPace = 2 * time.Second
	// lookAfter is how often it is looked after whether somebody deleted the report or
	// changed it: the rule sets in it are the next leader's to know.
	lookAfter = time.Minute
)

// read reads what is stored; nothing is no error.
func (b *bulletin) read(ctx context.Context) error {
	var stored v1alpha1.ClusterReport
	err := b.live.Get(ctx, client.ObjectKey{Name: v1alpha1.ClusterReportName}, &stored)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("reading the ClusterReport: %w", err)
	}
	b.stored = stored
	return nil
}

// baseline are the rule sets that were stored.
func (b *bulletin) baseline() (list []taint.RuleSet) {
	for _, r := range b.stored.Status.RuleSets {
		list = append(list, taint.RuleSet{
			RuleSetID: taint.RuleSetID{AgentVersion: r.AgentVersion, RuleSet: r.RuleSet, Orders: r.Orders}, FirstSeen: r.FirstSeen.Time, Accepted: r.Accepted,
		})
	}
	return list
}

// offer hands over what the report is to say.
func (b *bulletin) offer(s v1alpha1.ClusterReportStatus) {
	b.mu.Lock()
	b.wanted = &s
	b.mu.Unlock()
	b.wake()
}

func (b *bulletin) wake() {
	select {
	case b.waits <- struct{}{}:
	default: // it will be seen with the one before
	}
}

// run writes until ctx ends. What is in the way is said once, and not with every try: a CRD
// may be missing for long.
func (b *bulletin) run(ctx context.Context) {
	look := time.NewTicker(lookAfter)
	defer look.Stop()
	for told := ""; ; {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-b.waits:
		case <-look.C:
			err = b.read(ctx)
		}
		if err == nil {
			err = b.write(ctx)
		}
		switch {
		case err == nil:
			told = ""
		case ctx.Err() == nil:
			if text := err.Error(); text != told {
				told = text
				logf.FromContext(ctx).Error(err, "keeping the ClusterReport; tried again every few seconds")
			}
			b.wake()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(bulletinPace):
		}
	}
}

// write writes what is wanted, if it is not so already.
func (b *bulletin) write(ctx context.Context) error {
	b.mu.Lock()
	offered := b.wanted
	b.mu.Unlock()
	if offered == nil {
		return nil
	}
	want := *offered
	// The times of transitions are those that are stored, where nothing changes.
	conditions := slices.Clone(b.stored.Status.Conditions)
	for _, c := range want.Conditions {
		meta.SetStatusCondition(&conditions, c)
	}
	want.Conditions = conditions
	if b.stored.UID != "" && equal(want, own(b.stored.Status)) {
		return nil
	}
	if err := b.may(); err != nil {
		return err
	}
	if err := b.ensure(ctx); err != nil {
		return err
	}
	before := b.stored.Status
	stored, err := b.patch(ctx, want)
	if apierrors.IsNotFound(err) { // somebody has deleted it
		b.stored = v1alpha1.ClusterReport{Status: b.stored.Status}
		if err = b.ensure(ctx); err == nil {
			stored, err = b.patch(ctx, want)
		}
	}
	if err != nil {
		b.metrics.wrote("cluster-report", patch.Refused)
		return err
	}
	b.metrics.wrote("cluster-report", patch.Written)
	b.stored = *stored
	b.tell(before.Conditions, stored.Status.Conditions)
	return nil
}

// ensure creates the report if it is not there.
func (b *bulletin) ensure(ctx context.Context) error {
	if b.stored.UID != "" {
		return nil
	}
	r := &v1alpha1.ClusterReport{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.ClusterReportName}}
	if err := b.client.Create(ctx, r, client.FieldOwner(patch.FieldManager)); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("creating the ClusterReport: %w", err)
	}
	return nil
}

func (b *bulletin) patch(ctx context.Context, want v1alpha1.ClusterReportStatus) (*v1alpha1.ClusterReport, error) {
	// An empty list would be left out, and what is stored would stay.
	data, err := json.Marshal(map[string]any{"status": map[string]any{
		"conditions": want.Conditions, "nodes": want.Nodes, "ruleSets": want.RuleSets,
	}})
	if err != nil {
		return nil, err
	}
	r := &v1alpha1.ClusterReport{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.ClusterReportName}}
	err = b.client.Status().Patch(ctx, r, client.RawPatch(types.MergePatchType, data), client.FieldOwner(patch.FieldManager))
	if err != nil {
		return nil, fmt.Errorf("writing the status of the ClusterReport: %w", err)
	}
	return r, nil
}

// own is what this package says in the report. The audit says the rest.
func own(s v1alpha1.ClusterReportStatus) v1alpha1.ClusterReportStatus {
	return v1alpha1.ClusterReportStatus{Conditions: s.Conditions, Nodes: s.Nodes, RuleSets: s.RuleSets}
}

// equal is whether two statuses are stored alike.
func equal(a, b v1alpha1.ClusterReportStatus) bool {
	one, err := json.Marshal(a)
	if err != nil {
		return false
	}
	other, err := json.Marshal(b)
	return err == nil && bytes.Equal(one, other)
}

// tell makes the Event of a stop that has begun, has got other reasons or has ended.
func (b *bulletin) tell(before, now []metav1.Condition) {
	was, is := culpritsOf(before), culpritsOf(now)
	ref := &corev1.ObjectReference{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "ClusterReport", Name: v1alpha1.ClusterReportName, UID: b.stored.UID,
	}
	switch {
	case was == is:
	case is == "":
		b.events.Event(ref, corev1.EventTypeNormal, eventResumed, "No enforced control is failed by too many nodes any more.")
	default:
		b.events.Event(ref, corev1.EventTypeWarning, eventStopped, meta.FindStatusCondition(now, v1alpha1.ConditionCorrelationStop).Message)
	}
}

// culpritsOf are the controls of a stop, as its message begins; empty without one.
func culpritsOf(conditions []metav1.Condition) string {
	c := meta.FindStatusCondition(conditions, v1alpha1.ConditionCorrelationStop)
	if c == nil || c.Status != metav1.ConditionTrue {
		return ""
	}
	return culprits(c.Message)
}
