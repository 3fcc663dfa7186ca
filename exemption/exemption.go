// Package exemption says what an Exemption covers: which controls may fail where, and
// until when. The webhook, the audit and tainting ask it alike, so that an exemption has one
// meaning and ends everywhere in the same second. It is pure.
package exemption

import (
	"slices"
	"strings"
	"time"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// Book is a set of compiled Exemptions of objects. It does not change and is safe for
// concurrent use. nil exempts nothing.
type Book struct {
	// named are those that name namespaces, by each of them; others name none.
	named  map[string][]*compiled
	others []*compiled
}

// compiled is an Exemption of objects.
type compiled struct {
	name     string
	controls []string
	expires  time.Time
	objects  *v1alpha1.ExemptObjects
	fields   [][]string
}

// Compile makes a Book. The errors name Exemptions that are not understood, which exempt
// nothing. Those of nodes alone are left out: see package taint/ruling.
func Compile(exemptions []v1alpha1.Exemption) (*Book, []error) {
	b := &Book{named: map[string][]*compiled{}}
	var errs []error
	for i := range exemptions {
		e := &exemptions[i]
		if problems := Validate(e); len(problems) > 0 {
			for _, problem := range problems {
				errs = append(errs, &Error{e.Name, problem})
			}
			continue
		}
		if e.Spec.Objects == nil {
			continue
		}
		c := &compiled{name: e.Name, controls: e.Spec.Controls, expires: e.Spec.Expires.Time, objects: e.Spec.Objects}
		for _, p := range e.Spec.Objects.FieldPaths {
			c.fields = append(c.fields, elements(p))
		}
		for _, ns := range e.Spec.Objects.Namespaces {
			b.named[ns] = append(b.named[ns], c)
		}
		if len(e.Spec.Objects.Namespaces) == 0 {
			b.others = append(b.others, c)
		}
	}
	return b, errs
}

// Empty is whether it exempts nothing, whatever it is asked.
func (b *Book) Empty() bool { return b == nil || len(b.named) == 0 && len(b.others) == 0 }

// Error is one of an Exemption.
type Error struct {
	Name string
	Err  error
}

func (e *Error) Error() string { return "Exemption " + e.Name + ": " + e.Err.Error() }

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// Object is what an Exemption asks of an object.
type Object struct {
	Group, Kind, Namespace, Name string
	// Account is the ServiceAccount of its pods; empty where it has none.
	Account string
	// Images are those of all its containers.
	Images []string
}

// Scope is what is exempt of one object at one moment; nil is nothing.
type Scope struct {
	covering []*compiled
	images   []string
}

// On returns what is exempt of an object.
func (b *Book) On(o Object, now time.Time) *Scope {
	if b == nil {
		return nil
	}
	var s *Scope
	for _, list := range [...][]*compiled{b.named[o.Namespace], b.others} {
		for _, c := range list {
			if now.Before(c.expires) && c.matches(&o) {
				if s == nil {
					s = &Scope{images: o.Images}
				}
				s.covering = append(s.covering, c)
			}
		}
	}
	return s
}

// matches is whether it is about the object; its namespace is known to be right.
func (c *compiled) matches(o *Object) bool {
	kind := func(k string) bool { return k == o.Kind || k == o.Kind+"."+o.Group }
	name := func(pattern string) bool { return glob(pattern, o.Name) }
	account := func(a string) bool { return a == o.Account || a == o.Namespace+"/"+o.Account }
	return (len(c.objects.Kinds) == 0 || slices.ContainsFunc(c.objects.Kinds, kind)) &&
		(len(c.objects.Names) == 0 || slices.ContainsFunc(c.objects.Names, name)) &&
		(len(c.objects.ServiceAccounts) == 0 || o.Account != "" && slices.ContainsFunc(c.objects.ServiceAccounts, account))
}

// Covers is the name of the Exemption that covers a finding; image is that of the
// container that it is about, empty for a finding about the whole.
func (s *Scope) Covers(id control.ID, path, image string) string {
	if s == nil {
		return ""
	}
	for _, c := range s.covering {
		if slices.Contains(c.controls, string(id)) && c.coversImages(s.images, image) && c.coversField(path) {
			return c.name
		}
	}
	return ""
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

// names is whether an image is meant: the reference as it is written, any tag or digest of a
// repository that is named without, or all that is below "registry.example.com/team/*".
func names(named, image string) bool {
	if below, all := strings.CutSuffix(named, "/*"); all {
		return strings.HasPrefix(image, below+"/")
	}
	version, found := strings.CutPrefix(image, named)
	switch {
	case !found:
		return false
	case version == "":
		return true
	}
	// What has a tag or a digest means itself, and "registry:5000/x" is no tag of "registry".
	last := named[strings.LastIndexByte(named, '/')+1:]
	return (version[0] == ':' || version[0] == '@') && !strings.Contains(version, "/") && !strings.ContainsAny(last, ":@")
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
