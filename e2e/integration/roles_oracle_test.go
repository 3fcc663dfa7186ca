package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
)

// request is one that a control is about, and whether a name confines it enough.
type request struct {
	verb, group, resource string
	cluster, named        bool
}

// requests are those that each control finds the right to, in words of its own.
var requests = map[control.ID][]request{
	"secret-access": {{"get", "", "secrets", false, true}, {"list", "", "secrets", false, true}, {"watch", "", "secrets", false, true}, {"patch", "", "secrets", false, true}, {"deletecollection", "", "secrets", false, true}},
	"pod-creation": {
		{"create", "", "pods", false, false},
		{"patch", "apps", "deployments", false, false},
		{"update", "batch", "cronjobs", false, false},
		{"create", "batch", "jobs", false, false},
		{"create", "", "replicationcontrollers", false, false},
	},
	"bind-impersonate-escalate": {
		{"bind", rbacv1.GroupName, "roles", false, false},
		{"bind", rbacv1.GroupName, "clusterroles", false, false},
		{"escalate", rbacv1.GroupName, "roles", false, false},
		{"escalate", rbacv1.GroupName, "clusterroles", true, false},
		{"impersonate", "", "serviceaccounts", false, false},
		{"impersonate", "", "groups", true, false},
	},
	"persistent-volume-creation": {{"create", "", "persistentvolumes", true, false}},
	"node-proxy":                 {{"get", "", "nodes/proxy", true, false}, {"create", "", "nodes/proxy", true, false}, {"delete", "", "nodes/proxy", true, false}},
	"csr-approval":               {{"update", "certificates.k8s.io", "certificatesigningrequests/approval", true, false}},
	"webhook-configurations": {
		{"delete", "admissionregistration.k8s.io", "validatingwebhookconfigurations", true, false},
		{"create", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", true, false},
	},
	"token-creation": {{"create", "", "serviceaccounts/token", false, true}},
}

// A control finds something in a role exactly if the API server's own authorizer lets
// whoever is bound to the role do it.
func TestGrantsAsTheAuthorizer(t *testing.T) {
	namespace := newNamespace(t)
	r := rand.New(rand.NewPCG(5, 1))
	const trials = 120
	objects := make([][]byte, trials)
	who := func(i int) string { return fmt.Sprintf("%s-user-%d", namespace, i) }
	rbacs := lab.admin.RbacV1()
	for i := range trials {
		rules, name := randomRules(r), who(i)
		ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name}
		meta := metav1.ObjectMeta{Namespace: namespace, Name: name}
		var err error
		if i%2 == 0 {
			meta.Namespace, ref.Kind = "", "ClusterRole"
			objects[i] = marshal(t, role(t, "", name, rules...))
			if _, err = rbacs.ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{}); err == nil {
				_, err = rbacs.ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: []rbacv1.Subject{user(name)}}, metav1.CreateOptions{})
			}
		} else {
			objects[i] = marshal(t, role(t, namespace, name, rules...))
			if _, err = rbacs.Roles(namespace).Create(t.Context(), &rbacv1.Role{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{}); err == nil {
				_, err = rbacs.RoleBindings(namespace).Create(t.Context(), &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: []rbacv1.Subject{user(name)}}, metav1.CreateOptions{})
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	// Every role ends with one rule that tells when the authorizer knows it.
	for i := range trials {
		if err := poll(t.Context(), func(ctx context.Context) (bool, error) {
			return may(ctx, who(i), namespace, request{verb: "known", group: "example.com", resource: "trials"}, "")
		}); err != nil {
			t.Fatal(err)
		}
	}
	agreed := map[bool]int{}
	for i, text := range objects {
		found := map[control.ID]bool{}
		judgeRole(t, text, func(id control.ID, _ policy.Finding) { found[id] = true })
		for id, all := range requests {
			may := mayAny(t, who(i), namespace, all)
			agreed[may]++
			if may != found[id] {
				t.Errorf("%s: the authorizer allows it: %v, found: %v\n%s", id, may, found[id], text)
			}
		}
	}
	if agreed[true] < 50 || agreed[false] < 50 {
		t.Errorf("too few of one sort: %v", agreed)
	}
}

// mayAny is whether any of the requests is allowed: for whatever name, or without one
// where names confine it.
func mayAny(t *testing.T, user, namespace string, all []request) bool {
	t.Helper()
	for _, q := range all {
		names := []string{""}
		if !q.named {
			names = append(names, "some")
		}
		for _, name := range names {
			ok, err := may(t.Context(), user, namespace, q, name)
			if err != nil {
				t.Fatal(err)
			}
			if ok {
				return true
			}
		}
	}
	return false
}

func may(ctx context.Context, user, namespace string, q request, name string) (bool, error) {
	if q.cluster {
		namespace = ""
	}
	resource, sub, _ := strings.Cut(q.resource, "/")
	review, err := lab.admin.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user, ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: namespace, Verb: q.verb, Group: q.group, Resource: resource, Subresource: sub, Name: name,
		},
	}}, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return review.Status.Allowed, nil
}

// randomRules are rules in which the words of all requests are mixed with wildcards, near
// misses and names.
func randomRules(r *rand.Rand) (rules []rbacv1.PolicyRule) {
	var flat []request
	for _, id := range control.IDs() {
		flat = append(flat, requests[id]...)
	}
	for range 1 + r.IntN(2) {
		q := flat[r.IntN(len(flat))]
		rule := rbacv1.PolicyRule{Verbs: []string{q.verb}, APIGroups: []string{q.group}, Resources: []string{q.resource}}
		spoil(r, &rule.Verbs, "*", "use", strings.ToUpper(q.verb))
		spoil(r, &rule.APIGroups, "*", "example.com")
		main, sub, _ := strings.Cut(q.resource, "/")
		spoil(r, &rule.Resources, "*", "*/"+sub, main, main+"/*", main+"/status", "*/*")
		switch r.IntN(8) {
		case 0:
			rule.ResourceNames = []string{"some"}
		case 1:
			rule.ResourceNames = []string{"some", ""}
		}
		rules = append(rules, rule)
	}
	return append(rules, rbacv1.PolicyRule{Verbs: []string{"known"}, APIGroups: []string{"example.com"}, Resources: []string{"trials"}})
}

// spoil leaves a list, adds to it or puts something else in its place.
func spoil(r *rand.Rand, list *[]string, words ...string) {
	word := words[r.IntN(len(words))]
	switch r.IntN(4) {
	case 0:
		*list = append(*list, word)
	case 1:
		*list = []string{word}
	}
}

func marshal(t *testing.T, o interface{ MarshalJSON() ([]byte, error) }) []byte {
	t.Helper()
	text, err := o.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return text
}
