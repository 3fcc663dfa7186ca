package controller

import (
	"context"
	"encoding/json"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
)

// writeCluster writes what the ClusterReport is to say of the audit. It is made by the
// tainting half of the controller, which writes the rest.
func (c *Controller) writeCluster(ctx context.Context, _ *state) error {
	stored := &v1alpha1.ClusterReport{}
	err := c.client.Get(ctx, client.ObjectKey{Name: v1alpha1.ClusterReportName}, stored)
	if err != nil {
		return client.IgnoreNotFound(err)
	}
	want := v1alpha1.AuditStatus{
		Started: metav1.NewTime(c.last.Started), Finished: metav1.NewTime(c.last.Finished), Objects: int32(c.last.Objects),
	}
	for _, m := range c.last.Missed {
		want.Missed = append(want.Missed, m.Resource+": "+m.Err.Error())
	}
	if equal(stored.Status.Audit, want) {
		return nil
	}
	if err := c.May(); err != nil {
		return err
	}
	data, err := json.Marshal(map[string]any{"status": map[string]any{"audit": map[string]any{
		"started": want.Started, "finished": want.Finished, "objects": want.Objects, "missed": want.Missed,
	}}})
	if err != nil {
		return err
	}
	err = c.client.Status().Patch(ctx, stored, client.RawPatch(types.MergePatchType, data), client.FieldOwner(fieldManager))
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
