package scorecard

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/audit"
)

// The bounds of what an AuditStatus says of resources that were missed.
const (
	maxMissed     = 32
	maxMissedText = 256
)

// AuditStatus is what a ClusterReport says of a pass; nil for none.
func AuditStatus(r *audit.Result) *v1alpha1.AuditStatus {
	if r == nil {
		return nil
	}
	s := &v1alpha1.AuditStatus{Started: metav1.NewTime(r.Started), Finished: metav1.NewTime(r.Finished), Objects: int32(r.Objects)}
	for i, m := range r.Missed {
		if i == maxMissed-1 && len(r.Missed) > maxMissed {
			s.Missed = append(s.Missed, fmt.Sprintf("and %d more", len(r.Missed)-i))
			break
		}
		text := m.Resource
		if m.Err != nil {
			text += ": " + m.Err.Error()
		}
		s.Missed = append(s.Missed, bounded(text, maxMissedText))
	}
	return s
}
