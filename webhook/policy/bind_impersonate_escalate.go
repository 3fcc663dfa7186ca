package policy

import "github.com/hardgate-dev/hardgate/webhook/rbac"

// bindImpersonateEscalate: CIS 1.8 5.1.8. resourceNames confine none of the verbs: the
// role or user that is named may be the most powerful of all, or become so. From
// Kubernetes 1.36 on there are verbs for one sort of user; "impersonate:associated-node",
// by which an agent is its own node and nobody else, is none of these.
var bindImpersonateEscalate = about("bind-impersonate-escalate",
	rbac.Power{Deed: rbac.BindsRoles, Verbs: []string{"bind"}, Group: rbac.Group, Resources: []string{"roles"}},
	rbac.Power{Deed: rbac.BindsClusterRoles, Verbs: []string{"bind"}, Group: rbac.Group, Resources: []string{"clusterroles"}},
	rbac.Power{Deed: rbac.EscalatesRoles, Verbs: []string{"escalate"}, Group: rbac.Group, Resources: []string{"roles"}},
	rbac.Power{Deed: rbac.EscalatesClusterRoles, Verbs: []string{"escalate"}, Group: rbac.Group, Resources: []string{"clusterroles"}, Cluster: true},
	rbac.Power{Deed: rbac.ImpersonatesAccounts, Verbs: []string{"impersonate"}, Resources: []string{"serviceaccounts"}},
	rbac.Power{Deed: rbac.ImpersonatesUsers, Verbs: []string{"impersonate"}, Resources: []string{"users"}, Cluster: true},
	rbac.Power{Deed: rbac.ImpersonatesGroups, Verbs: []string{"impersonate"}, Resources: []string{"groups"}, Cluster: true},
	impersonates(rbac.ImpersonatesAccounts, "impersonate:serviceaccount", "serviceaccounts"),
	impersonates(rbac.ImpersonatesUsers, "impersonate:user-info", "users"),
	impersonates(rbac.ImpersonatesGroups, "impersonate:user-info", "groups"),
	impersonates(rbac.ImpersonatesNodes, "impersonate:arbitrary-node", "nodes"),
)

func impersonates(deed rbac.Deed, verb, resource string) rbac.Power {
	return rbac.Power{
		Deed: deed, Verbs: []string{verb}, Group: "authentication.k8s.io", Resources: []string{resource}, Cluster: deed != rbac.ImpersonatesAccounts,
	}
}
