package ruling

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// Warnings returns what is allowed in a NodePolicy and may well not be meant, each with
// its field path. The policy is a valid one.
func Warnings(p *v1alpha1.NodePolicy) (warnings []string) {
	s := &p.Spec
	if s.Level != "" && s.Mode == "" {
		warnings = append(warnings, "spec.level: it says which controls spec.mode is for, and there is no spec.mode")
	}
	e, err := compile(p)
	if err != nil || !e.enforces() {
		return warnings
	}
	if s.Effect == string(corev1.TaintEffectNoExecute) {
		warnings = append(warnings, "spec.effect: NoExecute evicts what runs on a node as soon as it is tainted; NoSchedule keeps only new pods away")
	}
	if s.GracePeriod != nil && s.GracePeriod.Duration == 0 {
		warnings = append(warnings, "spec.gracePeriod: without one, the first nodes are tainted before it is seen that many fail at once")
	}
	if b := s.Budget; b != nil {
		for _, part := range []struct {
			name  string
			given *intstr.IntOrString
			limit Limit
		}{{"cluster", b.Cluster, e.budget.Cluster[0]}, {"pool", b.Pool, e.budget.Pool[0]}} {
			if part.given != nil && part.limit.none() {
				warnings = append(warnings, fmt.Sprintf("spec.budget.%s: with %s no node is ever tainted, whatever is enforced", part.name, part.given))
			}
		}
	}
	return warnings
}

// enforces is whether a failure can set the taint that keeps pods away.
func (e *entry) enforces() bool {
	for _, s := range e.settings {
		if s.mode == control.Enforce {
			return true
		}
	}
	return e.stale == control.Enforce
}

// none is whether it allows nothing, however many nodes there are.
func (l Limit) none() bool {
	if l.IsPercent {
		return l.Percent == 0
	}
	return l.Nodes == 0
}
