package policy

import "github.com/hardgate-dev/hardgate/webhook/rbac"

// podCreation: CIS 1.8 5.1.4. Who changes the template of a controller has pods of any
// make started, so that update and patch count where there is a template.
var podCreation = about("pod-creation",
	rbac.Power{Deed: rbac.CreatesPods, Verbs: []string{"create"}, Resources: []string{"pods"}},
	creates("", "replicationcontrollers"),
	creates("apps", "deployments", "daemonsets", "statefulsets", "replicasets"),
	creates("batch", "jobs", "cronjobs"),
)

func creates(group string, resources ...string) rbac.Power {
	return rbac.Power{Deed: rbac.CreatesPods, Verbs: []string{"create", "update", "patch"}, Group: group, Resources: resources}
}
