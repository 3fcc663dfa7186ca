package exemption

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/control"
)

// judged is a kind that controls are about. Beside these, default-namespace is about any.
type judged struct {
	kind   string
	groups []string
	// spec is where a pod's spec is in it; empty where there is none.
	spec string
	// makes are the kinds of what it makes, which are objects of their own.
	makes []string
	// nowhere is whether its objects are in no namespace.
	nowhere bool
}

const (
	rbac     = "rbac.authorization.k8s.io"
	template = "spec.template.spec"
)

var judgedKinds = []judged{
	{kind: "Pod", groups: []string{""}, spec: "spec"},
	{kind: "PodTemplate", groups: []string{""}, spec: "template.spec"},
	{kind: "ReplicationController", groups: []string{""}, spec: template, makes: []string{"Pod"}},
	{kind: "Deployment", groups: []string{"apps", "extensions"}, spec: template, makes: []string{"ReplicaSet", "Pod"}},
	{kind: "ReplicaSet", groups: []string{"apps", "extensions"}, spec: template, makes: []string{"Pod"}},
	{kind: "StatefulSet", groups: []string{"apps"}, spec: template, makes: []string{"Pod"}},
	{kind: "DaemonSet", groups: []string{"apps", "extensions"}, spec: template, makes: []string{"Pod"}},
	{kind: "Job", groups: []string{"batch"}, spec: template, makes: []string{"Pod"}},
	{kind: "CronJob", groups: []string{"batch"}, spec: "spec.jobTemplate." + template, makes: []string{"Job", "Pod"}},
	{kind: "ServiceAccount", groups: []string{""}},
	{kind: "Namespace", groups: []string{""}}, // it stands in itself
	{kind: "Role", groups: []string{rbac}},
	{kind: "RoleBinding", groups: []string{rbac}},
	{kind: "ClusterRole", groups: []string{rbac}, nowhere: true},
	{kind: "ClusterRoleBinding", groups: []string{rbac}, nowhere: true},
}

// judgedKind returns what is known of a kind, as "Deployment" or "Deployment.apps".
func judgedKind(name string) (judged, bool) {
	for _, j := range judgedKinds {
		if slices.Contains(j.names(), name) {
			return j, true
		}
	}
	return judged{}, false
}

// names are how an Exemption may write a kind, without its group first.
func (j *judged) names() []string {
	names := []string{j.kind}
	for _, g := range j.groups {
		if g != "" {
			names = append(names, j.kind+"."+g)
		}
	}
	return names
}

// meant returns the kind of which name is another spelling: "deployments.apps", as in rules
// and paths. It would exempt nothing.
func meant(name string) (kind string, found bool) {
	bare, group, _ := strings.Cut(name, ".")
	for _, j := range judgedKinds {
		for _, known := range j.names() {
			k, g, _ := strings.Cut(known, ".")
			same := strings.EqualFold(bare, k) || strings.EqualFold(bare, k+"s")
			if same && strings.EqualFold(group, g) && name != known {
				return known, true
			}
		}
	}
	return "", false
}

// unjudged says that no control is about a kind, and which is probably meant.
func unjudged(name string) string {
	if name == "Node" {
		return "nodes are exempt by spec.nodes"
	}
	var known []string
	for _, j := range judgedKinds {
		if names := j.names(); strings.Contains(name, ".") {
			known = append(known, names...)
		} else {
			known = append(known, names[0])
		}
	}
	return fmt.Sprintf("no control is about %q%s", name, control.Hint(name, known))
}
