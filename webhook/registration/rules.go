package registration

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
)

// ownGroup is that of our own kinds.
const ownGroup = "hardgate.dev"

const (
	create = admissionregistrationv1.Create
	update = admissionregistrationv1.Update
)

// judged are the resources of the workload controls, by group. matchPolicy
// Equivalent brings every version of them. A rule on pods does not match its
// subresources: ephemeral containers come by one of their own.
var judged = []struct {
	group        string
	resources    []string
	subresources []string // these know UPDATE only
}{
	{"", []string{"pods", "podtemplates", "replicationcontrollers", "serviceaccounts"}, []string{"pods/ephemeralcontainers", "pods/resize"}},
	{"apps", []string{"deployments", "replicasets", "statefulsets", "daemonsets"}, nil},
	{"batch", []string{"jobs", "cronjobs"}, nil},
}

func workloadRules() (rules []admissionregistrationv1.RuleWithOperations) {
	for _, j := range judged {
		rules = append(rules, rule(j.group, admissionregistrationv1.NamespacedScope, j.resources, create, update))
		if len(j.subresources) > 0 {
			rules = append(rules, rule(j.group, admissionregistrationv1.NamespacedScope, j.subresources, update))
		}
	}
	return rules
}

const rbacGroup = "rbac.authorization.k8s.io"

func roleRules() []admissionregistrationv1.RuleWithOperations {
	return []admissionregistrationv1.RuleWithOperations{
		rule(rbacGroup, admissionregistrationv1.NamespacedScope, []string{"roles", "rolebindings"}, create, update),
	}
}

func clusterRoleRules() []admissionregistrationv1.RuleWithOperations {
	return []admissionregistrationv1.RuleWithOperations{
		rule(rbacGroup, admissionregistrationv1.ClusterScope, []string{"clusterroles", "clusterrolebindings"}, create, update),
	}
}

// notByTheClusterItself keeps away what must not even wait. The API server makes its own
// roles anew when it starts, and ends if that takes too long; the controller manager
// gathers rules that were judged where they were written. Both are seen by the audit.
func notByTheClusterItself() []admissionregistrationv1.MatchCondition {
	return []admissionregistrationv1.MatchCondition{{
		Name: "not-by-the-cluster-itself",
		Expression: "!(request.userInfo.username in " + celList([]string{
			"system:apiserver", "system:kube-controller-manager", "system:serviceaccount:kube-system:clusterrole-aggregation-controller",
		}) + ")",
	}}
}

// anyRules match every kind; the selector keeps them to one namespace. An object
// cannot move between namespaces, so its creation is all there is to judge.
func anyRules() []admissionregistrationv1.RuleWithOperations {
	r := rule("*", admissionregistrationv1.NamespacedScope, []string{"*"}, create)
	r.APIVersions = []string{"*"}
	return []admissionregistrationv1.RuleWithOperations{r}
}

// notElsewhere keeps what workloadRules and roleRules bring away from anyRules, and what is no
// object of the namespace: Events about nodes, questions and bindings.
func notElsewhere() []admissionregistrationv1.MatchCondition {
	conditions := []admissionregistrationv1.MatchCondition{{
		Name:       "not-an-event",
		Expression: `!(request.resource.group in ["", "events.k8s.io"] && request.resource.resource == "events")`,
	}, {
		Name:       "stored",
		Expression: `!(request.resource.group == "authorization.k8s.io" || request.resource.group == "" && request.resource.resource == "bindings")`,
	}}
	for _, j := range judged {
		name := "core"
		if j.group != "" {
			name = j.group
		}
		conditions = append(conditions, admissionregistrationv1.MatchCondition{
			Name: "not-a-workload-of-" + name,
			Expression: fmt.Sprintf(`!(request.resource.group == %q && request.resource.resource in %s)`,
				j.group, celList(j.resources)),
		})
	}
	return append(conditions, admissionregistrationv1.MatchCondition{
		Name:       "not-a-role",
		Expression: fmt.Sprintf("request.resource.group != %q", rbacGroup),
	})
}

// celList writes a list of strings in CEL.
func celList(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = strconv.Quote(v)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// policyResources are those of our kinds that somebody writes by hand.
var policyResources = []string{"workloadpolicies", "nodepolicies", "exemptions"}

func policyRules() []admissionregistrationv1.RuleWithOperations {
	r := rule(ownGroup, admissionregistrationv1.ClusterScope, policyResources, create, update)
	r.APIVersions = []string{"*"}
	return []admissionregistrationv1.RuleWithOperations{r}
}

func rule(group string, scope admissionregistrationv1.ScopeType, resources []string, operations ...admissionregistrationv1.OperationType,
) admissionregistrationv1.RuleWithOperations {
	return admissionregistrationv1.RuleWithOperations{
		Operations: operations,
		Rule: admissionregistrationv1.Rule{
			APIGroups: []string{group}, APIVersions: []string{"v1"}, Resources: slices.Clone(resources), Scope: &scope,
		},
	}
}
