package ruling

import (
	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// Note notes how far rollouts have come in the namespace that a report is about. A mode that
// is not known says nothing: the policy's own holds.
func (r Reached) Note(report *v1alpha1.NamespaceReport) {
	namespace := report.Name
	if namespace == v1alpha1.ClusterScopedReportName {
		namespace = ""
	}
	modes := map[Cell]control.Mode{}
	for _, c := range report.Status.Controls {
		for _, m := range c.Modes {
			if mode, err := control.ParseMode(string(m.Reached)); err == nil {
				modes[Cell{Policy: Identity(m.Policy, m.UID), Control: control.ID(c.ID)}] = mode
			}
		}
	}
	if len(modes) > 0 {
		r[namespace] = modes
	}
}
