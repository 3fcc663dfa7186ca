package rbac

import (
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// all is the one wildcard of verbs, apiGroups and resources.
const all = "*"

// Power is a set of requests, any of which does what a control is about.
type Power struct {
	Deed  Deed
	Verbs []string
	Group string
	// Resources are "pods", or with their subresource "nodes/proxy".
	Resources []string
	// Cluster is whether the resources have no namespace: a Role, or a ClusterRole that a
	// RoleBinding binds, grants nothing of them.
	Cluster bool
	// Named is whether resourceNames confine it enough. They do not confine creations: a
	// server-side apply creates what is named.
	Named bool
}

// Granted is what one rule grants of a power.
type Granted struct {
	Verbs, Resources []string // in the power's order
}

// By is what the rule grants of the power; ok is false for nothing.
//
// An empty name among resourceNames is that of every request without one: lists and
// creations.
func (p *Power) By(r *workload.Rule) (g Granted, ok bool) {
	if !covers(r.Groups, p.Group) {
		return g, false
	}
	for _, resource := range p.Resources {
		if coversResource(r.Resources, resource) {
			g.Resources = append(g.Resources, resource)
		}
	}
	for _, verb := range p.Verbs {
		if covers(r.Verbs, verb) {
			g.Verbs = append(g.Verbs, verb)
		}
	}
	if len(g.Resources) == 0 || len(g.Verbs) == 0 || p.Named && Confined(r) {
		return Granted{}, false
	}
	return g, true
}

func covers(list []string, want string) bool {
	return slices.Contains(list, want) || slices.Contains(list, all)
}

// coversResource knows "*" for everything with its subresources, and "*/scale" for one
// subresource of everything. "pods/*" is no wildcard to the authorizer and covers nothing.
func coversResource(list []string, want string) bool {
	if covers(list, want) {
		return true
	}
	_, sub, hasSub := strings.Cut(want, "/")
	return hasSub && slices.Contains(list, all+"/"+sub)
}

// Confined is whether resourceNames confine a rule, if only in what has a name.
func Confined(r *workload.Rule) bool { return len(r.Names) > 0 && !slices.Contains(r.Names, "") }
