package ruling

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

func TestNote(t *testing.T) {
	report := func(name string, modes ...v1alpha1.RolloutMode) *v1alpha1.NamespaceReport {
		r := &v1alpha1.NamespaceReport{}
		r.Name = name
		r.Status.Controls = []v1alpha1.NamespaceControl{{ID: "privileged", Modes: modes}}
		return r
	}
	all := Reached{}
	all.Note(report("shop", v1alpha1.RolloutMode{Policy: "p", Reached: "Enforce"}, v1alpha1.RolloutMode{Policy: "q", Reached: "Enfroce"}))
	all.Note(report("bank", v1alpha1.RolloutMode{Policy: "p"}))
	all.Note(report(v1alpha1.ClusterScopedReportName, v1alpha1.RolloutMode{Policy: "p", Reached: "Warn"}))
	all.Note(report("desk", v1alpha1.RolloutMode{Policy: "p", UID: "1", Reached: "Warn"}))
	want := Reached{"shop": {Cell{"p", "privileged"}: control.Enforce}, "desk": {Cell{"p/1", "privileged"}: control.Warn}, "": {Cell{"p", "privileged"}: control.Warn}}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
