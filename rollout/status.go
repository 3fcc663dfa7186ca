package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// maxCells bounds a policy's status.
const maxCells = 100

// add notes a cell for the status.
func (c *compiled) add(namespace string, id control.ID, mode control.Mode, since time.Time, known *v1alpha1.NamespaceControl, next string) {
	cell := v1alpha1.RolloutCell{
		Namespace: namespace, Control: string(id), Mode: v1alpha1.Mode(mode.String()), Since: &metav1.Time{Time: since},
		Violations: known.Violations, CleanSince: known.CleanSince, Next: next,
	}
	if known.Violations > 0 {
		cell.BlockedBy = known.BlockedBy[:min(3, len(known.BlockedBy))]
	}
	cell.Summary = fmt.Sprintf("%s/%s=%s: %s", Place(namespace), id, mode, next)
	c.cells = append(c.cells, cell)
}

// frozen is how what comes next says why it does not come yet.
const frozen = ", once this ends: "

// Frozen is what a stored status says of why nothing may be promoted; empty where it says
// nothing of the kind. It does where a step was due.
func Frozen(s *v1alpha1.RolloutStatus) string {
	if s == nil {
		return ""
	}
	for i := range s.Cells {
		if _, why, ok := strings.Cut(s.Cells[i].Next, frozen); ok {
			return why
		}
	}
	return ""
}

// Place is how a namespace is written.
func Place(namespace string) string {
	if namespace == "" {
		return v1alpha1.ClusterScopedReportName
	}
	return namespace
}

// status is what the policy is to say of its rollout.
func (c *compiled) status() v1alpha1.WorkloadPolicyStatus {
	s := v1alpha1.WorkloadPolicyStatus{ObservedGeneration: c.generation}
	if c.rollout == nil {
		return s
	}
	r := &v1alpha1.RolloutStatus{Target: v1alpha1.Mode(c.target.String()), Held: c.held}
	slices.SortFunc(c.cells, func(a, b v1alpha1.RolloutCell) int {
		return cmp.Or(
			cmp.Compare(min(b.Violations, 1), min(a.Violations, 1)), b.Since.Compare(a.Since.Time),
			cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Control, b.Control),
		)
	})
	clean, blocked := true, 0
	for i := range c.cells {
		cell := &c.cells[i]
		switch cell.Mode {
		case "Audit":
			r.Audit++
		case "Warn":
			r.Warn++
		case "Enforce":
			r.Enforce++
		}
		r.Violations += cell.Violations
		switch {
		case cell.CleanSince == nil:
			clean = false
		case r.CleanSince == nil || cell.CleanSince.After(r.CleanSince.Time):
			r.CleanSince = cell.CleanSince
		}
		if cell.Violations > 0 && cell.Mode != r.Target {
			if blocked++; blocked == 1 {
				r.BlockedBy = fmt.Sprintf("%s/%s: %s", Place(cell.Namespace), cell.Control, first(cell.BlockedBy))
			}
		}
	}
	if blocked > 1 {
		r.BlockedBy += fmt.Sprintf(", and %d more cells", blocked-1)
	}
	if !clean {
		r.CleanSince = nil
	}
	r.Cells = c.cells[:min(len(c.cells), maxCells)]
	s.Rollout = r
	return s
}

func first(list []string) string {
	if len(list) == 0 {
		return "workloads"
	}
	return list[0]
}
