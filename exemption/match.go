package exemption

import (
	"slices"
	"strings"
)

// matches is whether it is about the object; its namespace is known to be right.
func (c *compiled) matches(o *Object) bool {
	kind := func(k string) bool { return k == o.Kind || k == o.Kind+"."+o.Group }
	name := func(pattern string) bool { return glob(pattern, o.Name) }
	account := func(a string) bool { return a == o.Account || a == o.Namespace+"/"+o.Account }
	return (len(c.objects.Kinds) == 0 || slices.ContainsFunc(c.objects.Kinds, kind)) &&
		(len(c.objects.Names) == 0 || slices.ContainsFunc(c.objects.Names, name)) &&
		(len(c.objects.ServiceAccounts) == 0 || o.Account != "" && slices.ContainsFunc(c.objects.ServiceAccounts, account))
}

// coversImages is whether the image is named, or all of them for what is about the whole.
func (c *compiled) coversImages(all []string, image string) bool {
	if len(c.objects.Images) == 0 {
		return true
	}
	named := func(image string) bool {
		return slices.ContainsFunc(c.objects.Images, func(named string) bool { return names(named, image) })
	}
	if image != "" {
		return named(image)
	}
	return len(all) > 0 && !slices.ContainsFunc(all, func(image string) bool { return !named(image) })
}

func (c *compiled) coversField(path string) bool {
	if len(c.fields) == 0 {
		return true
	}
	at := elements(path)
	return slices.ContainsFunc(c.fields, func(f []string) bool {
		if len(f) > len(at) {
			return false
		}
		for i, want := range f {
			if want != at[i] && (want != "[*]" || at[i][0] != '[') {
				return false
			}
		}
		return true
	})
}

// elements takes a field path apart: names, and indexes in their brackets.
func elements(path string) (list []string) {
	for path != "" {
		switch path[0] {
		case '.':
			path = path[1:]
		case '[':
			end := strings.IndexByte(path, ']') + 1
			if end == 0 {
				end = len(path)
			}
			list, path = append(list, path[:end]), path[end:]
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			list, path = append(list, path[:end]), path[end:]
		}
	}
	return list
}

// glob is whether a pattern matches the whole of s; "*" stands for any run of characters.
// It takes no more than len(pattern) * len(s) steps.
func glob(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && pattern[p] == s[i]:
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
