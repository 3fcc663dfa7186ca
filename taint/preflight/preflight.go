package preflight

import (
	"cmp"
	"slices"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
)

// DaemonSet is what counts of one.
type DaemonSet struct {
	Namespace, Name string
	// Pods is how many it wants to run now.
	Pods int32
	// Tolerations are those of its pod template.
	Tolerations []corev1.Toleration
}

// Finding is a DaemonSet that does not tolerate something.
type Finding struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Pods is how many it wants to run now.
	Pods int32 `json:"pods"`
	// NotTolerated has one at least.
	NotTolerated []Untolerated `json:"notTolerated"`
}

// Untolerated is a taint, and what it does to a DaemonSet that does not tolerate it, or
// for some time only.
type Untolerated struct {
	corev1.Taint `json:",inline"`
	// Evicts is whether pods that run have to go: NoExecute. Otherwise they stay, and
	// none comes after them: not when the node is new, nor when a rollout has deleted
	// the old one.
	Evicts bool `json:"evicts"`
	// AfterSeconds is for how long the taint is tolerated before that; nil where it is
	// not tolerated at all.
	AfterSeconds *int64 `json:"afterSeconds,omitempty"`
}

// Judge returns the DaemonSets that do not tolerate all of the taints, by namespace and
// name, each with its taints in the order that they are given in. A taint with the
// effect PreferNoSchedule keeps no DaemonSet away.
func Judge(sets []DaemonSet, taints []corev1.Taint) []Finding {
	var found []Finding
	for i := range sets {
		s := &sets[i]
		f := Finding{Namespace: s.Namespace, Name: s.Name, Pods: s.Pods}
		for j := range taints {
			if u, ok := untolerated(s.Tolerations, &taints[j]); ok {
				f.NotTolerated = append(f.NotTolerated, u)
			}
		}
		if len(f.NotTolerated) > 0 {
			found = append(found, f)
		}
	}
	slices.SortFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return found
}

// untolerated is what a taint does to pods with these tolerations; false if nothing.
func untolerated(tolerations []corev1.Toleration, taint *corev1.Taint) (Untolerated, bool) {
	if taint.Effect == corev1.TaintEffectPreferNoSchedule {
		return Untolerated{}, false
	}
	u := Untolerated{Taint: *taint, Evicts: taint.Effect == corev1.TaintEffectNoExecute}
	for i := range tolerations {
		t := &tolerations[i]
		// The operators Lt and Gt count: an API server for which they do not takes no
		// toleration that has them.
		if !t.ToleratesTaint(logr.Discard(), taint, true) {
			continue
		}
		if !u.Evicts || t.TolerationSeconds == nil {
			return Untolerated{}, false
		}
		// The first that matches decides, as it does for the controller that evicts; a
		// later one without an end would not help. Less than none is none to it.
		u.AfterSeconds = new(max(*t.TolerationSeconds, 0))
		return u, true
	}
	return u, true
}

// Needed returns the tolerations that would mend all that was found: one for each key
// and value, of any effect, so that they hold when a policy asks for another one. They
// must come before the tolerations that are there.
func Needed(found []Finding) []corev1.Toleration {
	var needed []corev1.Toleration
	for i := range found {
		for _, u := range found[i].NotTolerated {
			t := corev1.Toleration{Key: u.Key, Operator: corev1.TolerationOpExists}
			if u.Value != "" {
				t.Operator, t.Value = corev1.TolerationOpEqual, u.Value
			}
			if !slices.Contains(needed, t) {
				needed = append(needed, t)
			}
		}
	}
	slices.SortFunc(needed, func(a, b corev1.Toleration) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value))
	})
	return needed
}
