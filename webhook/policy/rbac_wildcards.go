package policy

import (
	"fmt"
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
		if tooManyWildcards(s.Role.Rules) {
			return []Finding{place{}.field("rules").worth(fmt.Sprint(s.Role.Rules)).found("more wildcards than can be told one by one")}
		}
		for i := range s.Role.Rules {
			found = append(found, wildcardsIn(&s.Role.Rules[i], i)...)
		}
		return append(found, judgeGathered(s.Role, rbac.UsesWildcards)...)
	},
}

// wildcardsIn finds the wildcards of a rule, each with what it is about: one that is there
// for secrets is another fault than one that is there for pods, and so is one that is
// there to delete. What an old object had by a wider one is nothing new.
func wildcardsIn(r *workload.Rule, i int) (found []Finding) {
	verbs, groups := widest(r.Verbs), widest(r.Groups)
	if len(groups) == 0 {
		groups = []string{""} // which the API server refuses, and somebody may have meant
	}
	add := func(field, detail string, parts ...Part) {
		f := place{}.item("rules", i, "").field(field).worth(" "+strings.Join(first(parts), ", ")).found("%s", detail)
		f.Kin = &Kin{Parts: parts}
		found = append(found, f)
	}
	each := func(group, resource string) (parts []Part) {
		for _, verb := range verbs {
			parts = append(parts, grant(verb, group, resource))
		}
		return parts
	}
	if slices.Contains(r.Verbs, star) {
		for _, group := range groups {
			for _, resource := range r.Resources {
				add("verbs", fmt.Sprintf(`verbs has "*" for %q`, qualify(group, resource)), grant(star, group, resource))
			}
		}
		for _, url := range r.URLs {
			add("verbs", fmt.Sprintf(`verbs has "*" for %q`, url), urlGrant(star, url))
		}
	}
	if slices.Contains(r.Groups, star) {
		for _, resource := range r.Resources {
			add("apiGroups", fmt.Sprintf(`apiGroups has "*" for %q`, resource), each(star, resource)...)
		}
	}
	for _, resource := range r.Resources {
		if !isWildcard(resource) {
			continue
		}
		for _, group := range groups {
			add("resources", fmt.Sprintf("resources has %q for %s", resource, describeGroup(group)), each(group, resource)...)
		}
	}
	for _, url := range r.URLs {
		if !isEveryURL(url) {
			continue
		}
		var parts []Part
		for _, verb := range verbs {
			parts = append(parts, urlGrant(verb, url))
		}
		add("nonResourceURLs", fmt.Sprintf("nonResourceURLs has %q", url), parts...)
	}
	return found
}

// qualify writes a resource as kubectl does: "deployments.apps".
func qualify(group, resource string) string {
	if group == "" {
		return resource
	}
	name, sub, ok := strings.Cut(resource, "/")
	if name += "." + group; ok {
		name += "/" + sub
	}
	return name
}

// isEveryURL is for "*" and "/*". The authorizer takes any number of stars at the end for
// one.
func isEveryURL(url string) bool {
	prefix := strings.TrimRight(url, star)
	return prefix != url && (prefix == "" || prefix == "/")
}

// isWildcard is for "*", "*/scale" and "pods/*".
func isWildcard(resource string) bool {
	name, sub, _ := strings.Cut(resource, "/")
	return name == star || sub == star
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
