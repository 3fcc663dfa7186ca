package preflight

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/taint/key"
)

// The taints under their usual keys.
var (
	drifted    = corev1.Taint{Key: key.Drifted, Effect: corev1.TaintEffectNoSchedule}
	evicting   = corev1.Taint{Key: key.Drifted, Effect: corev1.TaintEffectNoExecute}
	unverified = corev1.Taint{Key: key.Unverified, Effect: corev1.TaintEffectNoSchedule}
)

// Default is the taint that a policy sets which says nothing of taints.
func Default() []corev1.Taint { return []corev1.Taint{drifted} }

// Assumed are the taints to reckon with where policies cannot be read.
func Assumed() []corev1.Taint { return []corev1.Taint{drifted, unverified} }

// Taints are those that the policies would set if all of them enforced something: the
// question is asked before they do, so that their modes do not count. Without any policy
// there are none.
func Taints(policies []v1alpha1.NodePolicy) []corev1.Taint {
	asked := map[corev1.Taint]bool{}
	for i := range policies {
		spec := &policies[i].Spec
		effect := corev1.TaintEffect(cmp.Or(spec.Effect, string(corev1.TaintEffectNoSchedule)))
		asked[corev1.Taint{Key: key.Drifted, Effect: effect}] = true
		if spec.UntrustedUntilChecked {
			asked[unverified] = true
		}
	}
	var taints []corev1.Taint
	for _, t := range []corev1.Taint{drifted, evicting, unverified} {
		if asked[t] {
			taints = append(taints, t)
		}
	}
	return taints
}
