package tainting

import (
	"errors"
	"slices"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The controller takes these answers for those about another object of the name: a
// decision on a node that is gone must not land on its successor.
func TestPatchesNameTheUID(t *testing.T) {
	g := newGroup(t, 1)
	name := g.nodes[0]
	_, node := lab.admin.CoreV1().Nodes().Patch(t.Context(), name, types.StrategicMergePatchType,
		[]byte(`{"metadata":{"uid":"another"},"status":{"conditions":[{"type":"HardeningCompliant","status":"True"}]}}`), metav1.PatchOptions{}, "status")
	_, report := reports().Patch(t.Context(), name, types.MergePatchType,
		[]byte(`{"metadata":{"uid":"another"},"spec":{"benchmarks":["b"]}}`), metav1.PatchOptions{})
	for what, err := range map[string]error{"node": node, "report": report} {
		status, _ := errors.AsType[*apierrors.StatusError](err)
		if !apierrors.IsInvalid(err) || !slices.ContainsFunc(status.Status().Details.Causes, func(c metav1.StatusCause) bool { return c.Field == "metadata.uid" }) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if c := compliant(g.node(name)); c.Type != "" {
		t.Errorf("written: %+v", c)
	}
}
