package webhook

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/review"
	"github.com/hardgate-dev/hardgate/webhook/verdict"
)

// maxCells bounds what is counted between two writes. Beyond it, new cells are not
// counted; the audit sees what has been admitted.
const maxCells = 20_000

// reportWait is how long a report that is not there may still be made: after that, the
// namespace has gone, or nobody makes reports here.
const reportWait = 10 * time.Minute

// tries is how often a report is written where somebody else is faster. In a large cluster
// one always is with one of them, and the heartbeat waits for all.
const tries = 5

// tallies count what would have been refused, if its control were enforced. A rollout
// goes by them. They are written from time to time, never on a request's way.
type tallies struct {
	mu    sync.Mutex
	cells map[cell]v1alpha1.AdmissionTally
	// now is the clock by which they are noted.
	now func() time.Time
}

type cell struct {
	namespace string
	id        control.ID
}

func newTallies() *tallies { return &tallies{cells: map[cell]v1alpha1.AdmissionTally{}, now: time.Now} }

// note counts the decisions on a request that was let through.
func (t *tallies) note(r *review.Request, decisions []verdict.Decision, now time.Time) {
	if r.DryRun {
		return
	}
	for i := range decisions {
		d := &decisions[i]
		if d.Status != control.Fail || !d.Denies() {
			continue
		}
		t.add(cell{r.Namespace, d.ID}, v1alpha1.AdmissionTally{
			Control: string(d.ID), Count: 1, Last: metav1.NewTime(now), Object: r.Kind.Kind + "/" + cmp.Or(r.Workload.DisplayName(), r.Name),
		})
	}
}

func (t *tallies) add(c cell, more v1alpha1.AdmissionTally) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, known := t.cells[c]
	if !known && len(t.cells) >= maxCells {
		return
	}
	t.cells[c] = merge(before, more)
}

// merge adds two tallies of one cell.
func merge(a, b v1alpha1.AdmissionTally) v1alpha1.AdmissionTally {
	count := a.Count + b.Count
	if b.Last.Before(&a.Last) {
		a, b = b, a
	}
	b.Count = count
	return b
}

// take hands over what was counted, by namespace.
func (t *tallies) take() map[string][]v1alpha1.AdmissionTally {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := map[string][]v1alpha1.AdmissionTally{}
	for c, tally := range t.cells {
		all[c.namespace] = append(all[c.namespace], tally)
	}
	clear(t.cells)
	return all
}

// WriteTallies writes what is counted into the NamespaceReports until ctx ends, and once
// more then; with it the heartbeat, which says that it does. What could not be written is kept and tried again.
func (g *Gate) WriteTallies(ctx context.Context, i *Informers, interval time.Duration) {
	log := logf.FromContext(ctx).WithName("tallies")
	for {
		select {
		case <-ctx.Done():
			if err := g.tallies.last(context.WithoutCancel(ctx), i.reportClient); err != nil {
				log.Error(err, "what would have been refused is not written; the audit sees what was admitted")
			}
			return
		case <-time.After(interval):
			if err := g.account(ctx, i.reportClient, i.heartbeat); err != nil {
				log.V(1).Info("not everything is written yet", "cause", err.Error())
			}
		}
	}
}

// last writes once more at the end, for as long as the end may take.
func (t *tallies) last(ctx context.Context, reports dynamic.ResourceInterface) error {
	ctx, cancel := context.WithTimeout(ctx, liveRead)
	defer cancel()
	return t.write(ctx, reports)
}

// write writes what was counted. The error is for what could not be written where a report is:
// where none is yet, what was counted waits and is no error.
func (t *tallies) write(ctx context.Context, reports dynamic.ResourceInterface) error {
	var errs []error
	for namespace, counted := range t.take() {
		err := deliver(ctx, reports, namespace, counted)
		for try := 1; apierrors.IsConflict(err) && try < tries; try++ {
			err = deliver(ctx, reports, namespace, counted)
		}
		if err != nil {
			if !apierrors.IsNotFound(err) { // nobody goes by what has no report
				errs = append(errs, fmt.Errorf("namespace %q: %w", namespace, err))
			}
			for _, c := range counted {
				if apierrors.IsNotFound(err) && t.now().Sub(c.Last.Time) > reportWait {
					continue
				}
				t.add(cell{namespace, control.ID(c.Control)}, c)
			}
		}
	}
	return errors.Join(errs...)
}

// deliver adds tallies to a report. The controller makes the reports; where it has not yet,
// or somebody else has written meanwhile, it is an error.
func deliver(ctx context.Context, reports dynamic.ResourceInterface, namespace string, counted []v1alpha1.AdmissionTally) error {
	name := cmp.Or(namespace, v1alpha1.ClusterScopedReportName)
	stored, err := reports.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	var r v1alpha1.NamespaceReport
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(stored.Object, &r); err != nil {
		return err
	}
	data, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": stored.GetResourceVersion()},
		"status":   map[string]any{"admission": together(r.Status.Admission, counted)},
	})
	if err != nil {
		return err
	}
	_, err = reports.Patch(ctx, name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: "hardgate-webhook"}, "status")
	if apierrors.IsNotFound(err) {
		return nil // the namespace has gone
	}
	return err
}

// together merges two lists of tallies.
func together(stored, counted []v1alpha1.AdmissionTally) []v1alpha1.AdmissionTally {
	all := slices.Clone(stored)
	for _, c := range counted {
		i := slices.IndexFunc(all, func(t v1alpha1.AdmissionTally) bool { return t.Control == c.Control })
		if i < 0 {
			all = append(all, c)
		} else {
			all[i] = merge(all[i], c)
		}
	}
	slices.SortFunc(all, func(a, b v1alpha1.AdmissionTally) int { return cmp.Compare(a.Control, b.Control) })
	return all
}
