package workload

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
)

// What is read of a role is what the API's own types read of it.
func TestRolesAsTyped(t *testing.T) {
	var typed rbacv1.ClusterRole
	if err := json.Unmarshal([]byte(fullRole), &typed); err != nil {
		t.Fatal(err)
	}
	o, err := Decode([]byte(fullRole))
	if err != nil {
		t.Fatal(err)
	}
	var want Role
	for _, r := range typed.Rules {
		want.Rules = append(want.Rules, Rule{r.Verbs, r.APIGroups, r.Resources, r.ResourceNames, r.NonResourceURLs})
	}
	for _, s := range typed.AggregationRule.ClusterRoleSelectors {
		selector := Selector{Labels: s.MatchLabels}
		for _, e := range s.MatchExpressions {
			selector.Expressions = append(selector.Expressions, Requirement{e.Key, string(e.Operator), e.Values})
		}
		want.Gathers = append(want.Gathers, selector)
	}
	if diff := cmp.Diff(&want, o.Role); diff != "" || len(o.Role.Rules) != 1 || len(o.Role.Gathers) != 1 {
		t.Errorf("(-typed +decoded):\n%s", diff)
	}
}

func TestBindingsAsTyped(t *testing.T) {
	var typed rbacv1.RoleBinding
	if err := json.Unmarshal([]byte(fullBinding), &typed); err != nil {
		t.Fatal(err)
	}
	o, err := Decode([]byte(fullBinding))
	if err != nil {
		t.Fatal(err)
	}
	want := Binding{RoleKind: typed.RoleRef.Kind, RoleName: typed.RoleRef.Name}
	for _, s := range typed.Subjects {
		want.Subjects = append(want.Subjects, RBACSubject{s.Kind, s.Namespace, s.Name})
	}
	if diff := cmp.Diff(&want, o.Binding); diff != "" || len(o.Binding.Subjects) != 1 {
		t.Errorf("(-typed +decoded):\n%s", diff)
	}
}

// Only the API server's own kinds are roles, and only a ClusterRole gathers.
func TestNotRBAC(t *testing.T) {
	for _, text := range []string{
		`{"apiVersion":"example.com/v1","kind":"Role","rules":7}`,
		`{"apiVersion":"v1","kind":"ClusterRole","rules":7}`,
		`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","aggregationRule":7}`,
	} {
		o, err := Decode([]byte(text))
		if err != nil || o.Role != nil && (o.Kind.Kind != "Role" || o.Role.Gathers != nil) || o.Binding != nil {
			t.Errorf("%s: %+v, %v", text, o, err)
		}
	}
	if IsRBAC(Kind{"example.com", "v1", "Role"}) || !IsRBAC(Kind{rbacGroup, "v1beta1", "RoleBinding"}) {
		t.Error("IsRBAC")
	}
}
