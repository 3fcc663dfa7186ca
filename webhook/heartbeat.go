package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
)

const (
	// beatInterval is how often a heartbeat is written at most, by all replicas together.
	beatInterval = v1alpha1.HeartbeatGap / 10
	// maxGaps bounds what a heartbeat says of the past.
	maxGaps = 20
)

// pulse is when this replica answered the self-test last; nil for never. A heartbeat is of
// these times: then the API server asked the webhook, and what it writes about what it was
// asked is what rollouts go by.
type pulse = atomic.Pointer[time.Time]

// account writes what was counted, and then the heartbeat: of a self-test that was answered
// before, as what was counted since is not written.
func (g *Gate) account(ctx context.Context, reports dynamic.ResourceInterface, known func() (last time.Time, exists bool)) error {
	answered := g.answered.Load()
	if err := g.tallies.write(ctx, reports); err != nil {
		return fmt.Errorf("what would have been refused: %w", err) // nor is it said that it would be
	}
	if err := beat(ctx, answered, reports, known); err != nil {
		return fmt.Errorf("the heartbeat: %w", err)
	}
	return nil
}

// beat writes the heartbeat, where the self-test has been answered since it was written
// last, by whichever replica. Where the report is not there yet, nothing is written: the
// controller makes it.
func beat(ctx context.Context, answered *time.Time, reports dynamic.ResourceInterface, known func() (last time.Time, exists bool)) error {
	if answered == nil {
		return nil
	}
	at := answered.Truncate(time.Second)
	if last, exists := known(); !exists || at.Sub(last) < beatInterval && !ahead(last, at) {
		return nil
	}
	stored, err := reports.Get(ctx, v1alpha1.ClusterScopedReportName, metav1.GetOptions{})
	if err != nil {
		return err
	}
	var r v1alpha1.NamespaceReport
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(stored.Object, &r); err != nil {
		return err
	}
	next := goesOn(r.Status.Heartbeat, at)
	if next == nil {
		return nil
	}
	// Null takes away the gaps of one that does not go on: left out, they would stay.
	data, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": stored.GetResourceVersion()},
		"status":   map[string]any{"heartbeat": map[string]any{"since": next.Since, "last": next.Last, "gaps": next.Gaps}},
	})
	if err != nil {
		return err
	}
	_, err = reports.Patch(ctx, v1alpha1.ClusterScopedReportName, types.MergePatchType, data, metav1.PatchOptions{FieldManager: "hardgate-webhook"}, "status")
	return err
}

// goesOn is a heartbeat that goes on at a time; nil where it was later already. One by a
// clock that was ahead begins anew.
func goesOn(h *v1alpha1.Heartbeat, at time.Time) *v1alpha1.Heartbeat {
	now := metav1.Time{Time: at}
	switch {
	case h == nil, ahead(h.Last.Time, at):
		return &v1alpha1.Heartbeat{Since: now, Last: now}
	case !h.Last.Before(&now):
		return nil
	}
	next := &v1alpha1.Heartbeat{Since: h.Since, Last: now, Gaps: slices.Clone(h.Gaps)}
	if at.Sub(h.Last.Time) > v1alpha1.HeartbeatGap {
		next.Gaps = append(next.Gaps, v1alpha1.HeartbeatPause{From: h.Last, Until: now})
	}
	if len(next.Gaps) > maxGaps {
		// The oldest two become one as long as both, at the end of the second: for who asks
		// since a time it is never too short, and not too long for who asks since before them.
		oldest, second := next.Gaps[0], &next.Gaps[1]
		second.From = metav1.Time{Time: second.From.Add(-oldest.Until.Sub(oldest.From.Time))}
		next.Gaps = next.Gaps[1:]
	}
	return next
}

// ahead is whether what was written at a time was written by a clock that is ahead of it.
func ahead(written, at time.Time) bool { return written.Sub(at) > v1alpha1.HeartbeatGap }

// heartbeat is when a heartbeat was written last, as far as the informers know, and whether
// there is a report to write it in.
func (i *Informers) heartbeat() (last time.Time, exists bool) {
	stored, exists, err := i.reports.GetStore().GetByKey(v1alpha1.ClusterScopedReportName)
	if err != nil || !exists {
		return time.Time{}, false
	}
	return stored.(*stage).beat, true
}
