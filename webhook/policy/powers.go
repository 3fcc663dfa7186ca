package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/rbac"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// about makes the policy of a control about what roles do and bindings hand out: see
// judgePowers. Powers of resources without a namespace are nothing that a Role grants or a
// RoleBinding hands out.
func about(id control.ID, powers ...rbac.Power) Policy {
	namespaced := slices.ContainsFunc(powers, func(p rbac.Power) bool { return !p.Cluster })
	return Policy{
		ID: id,
		Judges: func(s *Subject) bool {
			return (s.Role != nil || s.Binding != nil) && (namespaced || strings.HasPrefix(s.Kind.Kind, "Cluster"))
		},
		Check: func(s *Subject) []Finding {
			reach := powers
			if !strings.HasPrefix(s.Kind.Kind, "Cluster") {
				reach = slices.DeleteFunc(slices.Clone(powers), func(p rbac.Power) bool { return p.Cluster })
			}
			if s.Role != nil {
				return judgePowers(s, reach)
			}
			return judgeBinding(s, reach)
		},
	}
}

// judgePowers finds what a role does beyond what it is for: by its own rules, and by those
// of Kubernetes' own roles that it gathers. Of other roles that it gathers each is judged
// by itself.
func judgePowers(s *Subject, powers []rbac.Power) (found []Finding) {
	own := rbac.OwnRole(s.Kind.Kind, s.Namespace, s.Name)
	names := newNames(s.Role.Rules)
	told := map[string]int{}
	for i := range s.Role.Rules {
		r := &s.Role.Rules[i]
		for _, p := range unite(powers, r) {
			if own.Does(p.deed) {
				continue
			}
			f := at("rules", i, p.deed).found("%s: %s", p.deed, strings.Join(p.grants, "; "))
			if rbac.Confined(r) {
				f = names.confine(f, r)
			}
			if told[f.Same]++; told[f.Same] <= maxTold {
				found = append(found, f)
			}
		}
	}
	for _, deed := range deeds(powers) {
		if !own.Does(deed) {
			found = append(found, judgeGathered(s.Role, deed)...)
		}
	}
	return found
}

// judgeGathered finds the selectors by which a role gathers own roles that do the deed.
func judgeGathered(r *workload.Role, deed rbac.Deed) (found []Finding) {
	for i := range r.Gathers {
		if len(found) == maxTold {
			break
		}
		var doing []string
		for _, gathered := range rbac.Gathered(&r.Gathers[i]) {
			if gathered.Does(deed) {
				doing = append(doing, gathered.Name)
			}
		}
		at := place{}.field("aggregationRule").item("clusterRoleSelectors", i, "").named(deed)
		switch n := len(doing); n {
		case 0:
		case 1:
			found = append(found, at.found("gathers the rules of ClusterRole %s, which %s", doing[0], deed))
		default:
			found = append(found, at.found("gathers the rules of ClusterRole %s, which %s, and of %d more that do", doing[0], deed, n-1))
		}
	}
	return found
}

// judgeBinding finds who else than Kubernetes itself is bound to one of its own roles.
// Every other role is judged by itself. cluster-admin has a control of its own.
func judgeBinding(s *Subject, powers []rbac.Power) (found []Finding) {
	b := s.Binding
	own := rbac.OwnRole(b.RoleKind, s.Namespace, b.RoleName)
	if own == nil || isClusterAdmin(b) {
		return nil
	}
	for _, deed := range deeds(powers) {
		if !own.Does(deed) {
			continue
		}
		for i, who := range bound(s) {
			if !rbac.OwnBinding(own, s.Kind.Kind, s.Namespace, s.Name, who) {
				found = append(found, at("subjects", i, deed).worth(describeSubject(who)).
					found("binds %s to %s %s, which %s", describeSubject(who), b.RoleKind, b.RoleName, deed))
			}
		}
	}
	return found
}

func isClusterAdmin(b *workload.Binding) bool {
	return b.RoleKind == "ClusterRole" && b.RoleName == rbac.ClusterAdmin
}

// at is an element of a list that is known by the deed: rules and subjects may stand in
// any order, and the controller manager writes those of aggregated roles anew.
func at(list string, i int, deed rbac.Deed) place { return place{}.item(list, i, "").named(deed) }

// named makes the deed all that the finding is known by.
func (p place) named(deed rbac.Deed) place {
	p.known = string(deed)
	return p
}

// bound are the subjects of a binding. A RoleBinding may leave out the namespace of an
// account beside it.
func bound(s *Subject) []workload.RBACSubject {
	subjects := slices.Clone(s.Binding.Subjects)
	for i := range subjects {
		if subjects[i].Kind == "ServiceAccount" && subjects[i].Namespace == "" {
			subjects[i].Namespace = s.Namespace
		}
	}
	return subjects
}

func describeSubject(s workload.RBACSubject) string {
	if s.Namespace != "" {
		return s.Kind + " " + s.Namespace + "/" + s.Name
	}
	return s.Kind + " " + s.Name
}

// deeds are those of the powers, each once.
func deeds(powers []rbac.Power) (all []rbac.Deed) {
	for _, p := range powers {
		if !slices.Contains(all, p.Deed) {
			all = append(all, p.Deed)
		}
	}
	return all
}

// united is what one rule grants of all powers of one deed.
type united struct {
	deed   rbac.Deed
	grants []string
}

func unite(powers []rbac.Power, r *workload.Rule) (all []united) {
	for i := range powers {
		granted, ok := powers[i].By(r)
		if !ok {
			continue
		}
		j := slices.IndexFunc(all, func(u united) bool { return u.deed == powers[i].Deed })
		if j < 0 {
			j, all = len(all), append(all, united{deed: powers[i].Deed})
		}
		all[j].grants = append(all[j].grants, describeGrant(powers[i].Group, granted))
	}
	return all
}

// describeGrant is "get, list on secrets", "create on deployments.apps, daemonsets.apps".
func describeGrant(group string, g rbac.Granted) string {
	resources := slices.Clone(g.Resources)
	for i, r := range resources {
		resources[i] = qualify(group, r)
	}
	return fmt.Sprintf("%s on %s", strings.Join(g.Verbs, ", "), strings.Join(resources, ", "))
}
