package rbac

import (
	"slices"

	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// bootstrapping is the label of all that Kubernetes makes for itself at the start.
const bootstrapping, defaults = "kubernetes.io/bootstrapping", "rbac-defaults"

// Gathered are the own ClusterRoles whose rules an aggregationRule with the selector
// gathers. Other roles that it gathers are found by themselves.
func Gathered(s *workload.Selector) (roles []*Own) {
	for i := range own {
		o := &own[i]
		if o.Kind == clusterRole && o.selectedBy(s) {
			roles = append(roles, o)
		}
	}
	return roles
}

// label is what Kubernetes labels the role with. Others may add to that.
func (o *Own) label(key string) (value string, ok bool) {
	switch {
	case key == bootstrapping:
		return defaults, true
	case o.Label != "" && key == o.Label:
		return "true", true
	}
	return "", false
}

func (o *Own) selectedBy(s *workload.Selector) bool {
	for key, want := range s.Labels {
		if value, ok := o.label(key); !ok || value != want {
			return false
		}
	}
	for i := range s.Expressions {
		r := &s.Expressions[i]
		value, ok := o.label(r.Key)
		listed := ok && slices.Contains(r.Values, value)
		switch r.Operator {
		case "In":
			ok = listed
		case "NotIn":
			ok = !listed
		case "Exists":
		case "DoesNotExist":
			ok = !ok
		default: // the API server refuses it, and what is not known must not pass
			ok = true
		}
		if !ok {
			return false
		}
	}
	return true
}
