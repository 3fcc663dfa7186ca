package policy

import "github.com/hardgate-dev/hardgate/webhook/rbac"

// systemMasters: CIS 1.8 5.1.7. Whoever is in the group may do everything, and no binding
// takes that away: a binding that names it is made in error, or to hide where the rights
// come from. Certificates with the group leave no object, so that the row of the whole
// cluster is never more than for a person to decide.
var systemMasters = Policy{
	ID:     "system-masters",
	Judges: func(s *Subject) bool { return s.Binding != nil },
	Check: func(s *Subject) (found []Finding) {
		own := rbac.OwnRole(s.Binding.RoleKind, s.Namespace, s.Binding.RoleName)
		for i, who := range bound(s) {
			if who.Kind != "Group" || who.Name != rbac.Masters {
				continue
			}
			if own == nil || !rbac.OwnBinding(own, s.Kind.Kind, s.Namespace, s.Name, who) {
				found = append(found, place{}.item("subjects", i, describeSubject(who)).
					found("binds the group system:masters, which may do everything as it is"))
			}
		}
		return found
	},
}
