package policy

import (
	"strings"

	"github.com/hardgate-dev/hardgate/webhook/rbac"
)

// clusterAdminBindings: CIS 1.8 5.1.1. Kubernetes binds cluster-admin to one group, and
// its installer to another; whoever else is bound to it counts, in one namespace too.
var clusterAdminBindings = Policy{
	ID:     "cluster-admin-bindings",
	Judges: func(s *Subject) bool { return s.Binding != nil },
	Check: func(s *Subject) (found []Finding) {
		if !isClusterAdmin(s.Binding) {
			return nil
		}
		own := rbac.OwnRole("ClusterRole", "", rbac.ClusterAdmin)
		reach := "everything in the cluster"
		if !strings.HasPrefix(s.Kind.Kind, "Cluster") {
			reach = "everything in the namespace"
		}
		for i, who := range bound(s) {
			if !rbac.OwnBinding(own, s.Kind.Kind, s.Namespace, s.Name, who) {
				found = append(found, place{}.item("subjects", i, describeSubject(who)).
					found("binds %s to ClusterRole cluster-admin, which may do %s", describeSubject(who), reach))
			}
		}
		return found
	},
}
