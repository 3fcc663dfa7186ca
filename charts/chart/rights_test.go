package chart_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/hardgate-dev/hardgate/charts/chart"
)

// written is how a rule is written in the table.
func written(role string, r rbacv1.PolicyRule) string {
	resources := slices.Clone(r.Resources)
	groups := slices.Clone(r.APIGroups)
	for i, g := range groups {
		if g == "" {
			groups[i] = "core"
		}
	}
	text := fmt.Sprintf("%s: %s %s/%s", role, strings.Join(r.Verbs, ","), strings.Join(groups, ","), strings.Join(resources, ","))
	if len(r.ResourceNames) > 0 {
		text += " " + strings.Join(r.ResourceNames, ",")
	}
	return text
}

// rules are those of all roles, and what is bound to them.
func rules(t *testing.T, o chart.Options) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, object := range objects(t, render(t, o)) {
		switch role := object.(type) {
		case *rbacv1.ClusterRole:
			if role.AggregationRule != nil {
				t.Errorf("ClusterRole %s gathers rules that nobody here has seen", role.Name)
			}
			for _, r := range role.Rules {
				found[written("ClusterRole "+role.Name, r)] = true
			}
		case *rbacv1.Role:
			for _, r := range role.Rules {
				found[written("Role "+role.Namespace+"/"+role.Name, r)] = true
			}
		}
	}
	return found
}

// Every rule has a reason, and every reason a rule.
func TestEveryRuleHasAReason(t *testing.T) {
	for issuer, more := range map[string]map[string]string{"builtin": builtinReasons, "cert-manager": certManagerReasons} {
		t.Run(issuer, func(t *testing.T) {
			want := maps.Clone(reasons)
			maps.Copy(want, more)
			found := rules(t, chart.Options{Values: map[string]any{"certificates": map[string]any{"issuer": issuer}}})
			for rule := range found {
				if want[rule] == "" {
					t.Errorf("no reason is written for the rule\n%s", rule)
				}
			}
			for rule := range want {
				if !found[rule] {
					t.Errorf("a reason is written for a rule that is not there any more\n%s", rule)
				}
			}
		})
	}
}

// Each role is bound to the one account that needs it, and to no group.
func TestBindings(t *testing.T) {
	var bound int
	check := func(name string, ref rbacv1.RoleRef, subjects []rbacv1.Subject) {
		bound++
		component, _, _ := strings.Cut(strings.TrimPrefix(ref.Name, "hardgate-"), "-")
		want := []rbacv1.Subject{{Kind: "ServiceAccount", Name: "hardgate-" + component, Namespace: "hardgate-system"}}
		if name != ref.Name || !slices.Equal(subjects, want) {
			t.Errorf("%s binds %s to %+v", name, ref.Name, subjects)
		}
	}
	for _, object := range objects(t, render(t, chart.Options{})) {
		switch b := object.(type) {
		case *rbacv1.ClusterRoleBinding:
			check(b.Name, b.RoleRef, b.Subjects)
		case *rbacv1.RoleBinding:
			check(b.Name, b.RoleRef, b.Subjects)
		}
	}
	if bound == 0 {
		t.Error("nothing is bound")
	}
}
