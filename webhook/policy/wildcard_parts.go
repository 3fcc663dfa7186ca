package policy

import (
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// star is the one wildcard of verbs, apiGroups and resources.
const star = "*"

// What a small text may grow to: a rule has as many wildcards as it has groups times
// resources times verbs, and each is remembered by their names. The largest roles that are
// meant have some hundred.
const (
	maxWildcards     = 4096
	maxWildcardBytes = 1 << 20
)

func tooManyWildcards(rules []workload.Rule) bool {
	n, size := 0, 0
	for i := range rules {
		r := &rules[i]
		count := func(lists ...[]string) {
			number, length := 1, 1
			for _, list := range lists {
				number *= len(list)
				length *= len(strings.Join(list, " "))
			}
			n += number
			size += length
		}
		if slices.Contains(r.Verbs, star) {
			count(r.Groups, r.Resources)
			count(r.URLs)
		}
		if slices.Contains(r.Groups, star) {
			count(r.Verbs, r.Resources)
		}
		wild := slices.DeleteFunc(slices.Clone(r.Resources), func(resource string) bool { return !isWildcard(resource) })
		count(r.Verbs, r.Groups, wild)
		count(r.Verbs, slices.DeleteFunc(slices.Clone(r.URLs), func(url string) bool { return !isEveryURL(url) }))
		if n > maxWildcards || size > maxWildcardBytes {
			return true
		}
	}
	return false
}

// widest is a list without what its wildcard has anyway.
func widest(list []string) []string {
	if slices.Contains(list, star) {
		return []string{star}
	}
	return list
}

// grant is one of what a rule grants, and the wider ones of which it would be a part.
func grant(verb, group, resource string) (p Part) {
	wider := []string{resource}
	if _, sub, ok := strings.Cut(resource, "/"); ok {
		wider = append(wider, star+"/"+sub)
	}
	for _, v := range distinct(verb, star) {
		for _, g := range distinct(group, star) {
			for _, r := range distinct(append(wider, star)...) {
				p = append(p, v+" "+g+" "+r)
			}
		}
	}
	return p
}

// urlGrant is grant for URLs.
func urlGrant(verb, url string) (p Part) {
	if isEveryURL(url) {
		url = star
	}
	for _, v := range distinct(verb, star) {
		for _, u := range distinct(url, star) {
			p = append(p, v+" "+u)
		}
	}
	return p
}

func distinct(list ...string) (each []string) {
	for _, s := range list {
		if !slices.Contains(each, s) {
			each = append(each, s)
		}
	}
	return each
}

func first(parts []Part) (names []string) {
	for _, p := range parts {
		names = append(names, p[0])
	}
	return names
}
