package policy

import (
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/webhook/rbac"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// rbacWildcards: CIS 1.8 5.1.3. A wildcard anywhere in a list counts, and so does one of
// subresources. "pods/*" grants nothing, since the authorizer knows no such wildcard; it is
// found all the same: whoever wrote it meant one.
var rbacWildcards = Policy{
	ID:     "rbac-wildcards",
	Judges: func(s *Subject) bool { return s.Role != nil },
	Check: func(s *Subject) (found []Finding) {
		own := rbac.OwnRole(s.Kind.Kind, s.Namespace, s.Name)
		if own.Does(rbac.UsesWildcards) {
			return nil
		}
		for i := range s.Role.Rules {
			found = append(found, wildcardsIn(&s.Role.Rules[i], i)...)
		}
		return append(found, judgeGathered(s.Role, rbac.UsesWildcards)...)
	},
}

// wildcardsIn finds the wildcards of a rule, each with what it is about: one that is there
// for secrets is another fault than one that is there for pods.
func wildcardsIn(r *workload.Rule, i int) (found []Finding) {
	in := func(field string) place { return place{}.item("rules", i, "").field(field) }
	if slices.Contains(r.Verbs, "*") {
		for _, what := range slices.Concat(r.Resources, r.URLs) {
			found = append(found, in("verbs").worth(" of "+what).found(`verbs has "*" for %q`, what))
		}
	}
	if slices.Contains(r.Groups, "*") {
		for _, what := range r.Resources {
			found = append(found, in("apiGroups").worth(" of "+what).found(`apiGroups has "*" for %q`, what))
		}
	}
	for _, resource := range r.Resources {
		if !isWildcard(resource) {
			continue
		}
		for _, group := range r.Groups {
			found = append(found, in("resources").worth(resource+" of "+group).found("resources has %q for %s", resource, describeGroup(group)))
		}
	}
	for _, url := range r.URLs {
		if url == "*" || url == "/*" {
			found = append(found, in("nonResourceURLs").worth(url).found("nonResourceURLs has %q", url))
		}
	}
	return found
}

// isWildcard is for "*", "*/scale" and "pods/*".
func isWildcard(resource string) bool {
	name, sub, _ := strings.Cut(resource, "/")
	return name == "*" || sub == "*"
}

func describeGroup(group string) string {
	switch group {
	case "":
		return "the core group"
	case "*":
		return "every group"
	}
	return "the group " + group
}
