package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/rollout"
)

// fieldManager is the controller's.
const fieldManager = "hardgate-controller"

// wanted is what a report is to say, but for what the webhook writes in it: its heartbeat, and
// tallies unless they have to be put right.
func (c *Controller) wanted(s *state, name string, sum *audit.Summary, controls []v1alpha1.NamespaceControl) v1alpha1.NamespaceReportStatus {
	var before v1alpha1.NamespaceReportStatus
	if r := s.reports[name]; r != nil {
		before = r.Status
	}
	want := v1alpha1.NamespaceReportStatus{
		Hash: before.Hash, Changed: before.Changed, Objects: before.Objects, Failing: before.Failing, Exempt: before.Exempt,
		Findings: before.Findings, Controls: controls, Enforced: enforced(s, name),
	}
	if sum == nil {
		return want
	}
	want.Objects, want.Failing, want.Exempt = int32(sum.Objects), int32(sum.Failing), int32(sum.Exempt)
	want.Findings = nil
	for _, f := range sum.Findings {
		want.Findings = append(want.Findings, v1alpha1.ObjectFinding{Control: string(f.Control), Object: f.Object, Path: f.Path, Detail: f.Detail})
	}
	if want.Hash = sum.Hash; want.Hash != before.Hash || want.Changed == nil {
		want.Changed = &metav1.Time{Time: s.now}
	}
	return want
}

// enforced is how many controls are enforced in a namespace, of how many that are judged;
// empty where the webhook is never asked.
func enforced(s *state, name string) string {
	if slices.Contains(s.unasked, name) {
		return ""
	}
	judged := s.book.For(name, s.namespaces[name].labels)
	n := 0
	for _, j := range judged {
		if j.Rulings[0].Mode == control.Enforce {
			n++
		}
	}
	return fmt.Sprintf("%d/%d", n, len(judged))
}

// writeReports writes the reports that are to say something else. Those of namespaces that
// have gone go with them, whose they are.
func (c *Controller) writeReports(ctx context.Context, s *state, want map[string]v1alpha1.NamespaceReportStatus) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if err := c.May(); err != nil {
			return err
		}
		status := want[name]
		if err := c.writeReport(ctx, s, name, &status); err != nil {
			errs = append(errs, fmt.Errorf("writing the NamespaceReport %s: %w", reportOf(name), err))
		}
	}
	return errors.Join(errs...)
}

// tellOfAhead tells of tallies that were written by a clock that is ahead. They are written
// anew as of now, so that they are told of once.
func (c *Controller) tellOfAhead(ctx context.Context, ahead map[string][]v1alpha1.AdmissionTally) {
	for _, name := range slices.Sorted(maps.Keys(ahead)) {
		logf.FromContext(ctx).Info("what would have been refused was noted by a clock that is ahead; it is taken to be of now", "namespace", rollout.Place(name))
	}
}

func (c *Controller) writeReport(ctx context.Context, s *state, name string, want *v1alpha1.NamespaceReportStatus) error {
	stored := s.reports[name]
	if stored == nil {
		stored = &v1alpha1.NamespaceReport{ObjectMeta: metav1.ObjectMeta{Name: reportOf(name)}}
		if ns, ok := s.namespaces[name]; ok {
			stored.OwnerReferences = []metav1.OwnerReference{{
				APIVersion: corev1.SchemeGroupVersion.String(), Kind: "Namespace", Name: name, UID: ns.uid,
			}}
		}
		err := c.client.Create(ctx, stored, client.FieldOwner(fieldManager))
		if apierrors.IsAlreadyExists(err) {
			return nil // the webhook has made it: the next round reads it
		}
		if err != nil {
			return err
		}
		s.reports[name] = stored
	}
	before := stored.Status
	before.Heartbeat = nil
	if want.Admission == nil {
		before.Admission = nil
	}
	if equal(before, *want) {
		return nil
	}
	// An empty list would be left out, and what is stored would stay.
	status := map[string]any{
		"hash": want.Hash, "changed": want.Changed, "objects": want.Objects, "failing": want.Failing, "exempt": want.Exempt,
		"enforced": want.Enforced, "controls": want.Controls, "findings": want.Findings,
	}
	if want.Admission != nil {
		status["admission"] = want.Admission
	}
	data, err := json.Marshal(map[string]any{"metadata": map[string]any{"resourceVersion": stored.ResourceVersion}, "status": status})
	if err != nil {
		return err
	}
	err = c.client.Status().Patch(ctx, stored, client.RawPatch(types.MergePatchType, data), client.FieldOwner(fieldManager))
	switch {
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		// The webhook has written its tally meanwhile, or the namespace has gone. The next
		// round decides by what is stored then.
		c.late[name] = true
		return nil
	case err != nil:
		return err
	}
	c.Metrics.written.WithLabelValues("namespace-report").Inc()
	return nil
}
