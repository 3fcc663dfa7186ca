// Package exemption says what an Exemption covers: which controls may fail where, and
// until when. The webhook, the audit and tainting ask it alike, so that an exemption has one
// meaning and ends everywhere in the same second. It is pure.
package exemption

import (
	"cmp"
	"slices"
	"time"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// Book is a set of compiled Exemptions of objects. It does not change and is safe for
// concurrent use. nil exempts nothing.
type Book struct {
	// in are those that name namespaces, by each of them; from are those that name none, by
	// control. An Exemption may name a thousand namespaces and two hundred controls: by both
	// would be too much to keep.
	in, from map[string][]*compiled
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
	b := &Book{in: map[string][]*compiled{}, from: map[string][]*compiled{}}
	var errs []error
	for i := range exemptions {
		e := &exemptions[i]
		if problems := Validate(e); len(problems) > 0 {
			for _, problem := range problems {
				errs = append(errs, &Error{e.Name, problem})
			}
			continue
		}
		if e.Spec.Objects != nil {
			b.add(e)
		}
	}
	return b, errs
}

func (b *Book) add(e *v1alpha1.Exemption) {
	c := &compiled{name: e.Name, controls: e.Spec.Controls, expires: e.Spec.Expires.Time, objects: e.Spec.Objects}
	for _, p := range e.Spec.Objects.FieldPaths {
		c.fields = append(c.fields, elements(p))
	}
	for _, ns := range c.objects.Namespaces {
		b.in[ns] = append(b.in[ns], c)
	}
	if len(c.objects.Namespaces) == 0 {
		for _, id := range c.controls {
			b.from[id] = append(b.from[id], c)
		}
	}
}

// Empty is whether it exempts nothing, whatever it is asked.
func (b *Book) Empty() bool { return b == nil || len(b.in)+len(b.from) == 0 }

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
	Group, Kind, Name string
	// Namespace is where the object stands: a Namespace stands in itself. It is empty for
	// what stands in none, which no Exemption that names namespaces covers.
	Namespace string
	// Account is the ServiceAccount of its pods; empty where it has none.
	Account string
	// Images are those of all its containers.
	Images []string
}

// Scope is what is exempt of one object at one moment; nil is nothing. It is not safe for
// concurrent use.
type Scope struct {
	book   *Book
	object Object
	now    time.Time

	// covering are the Exemptions from the control that was asked for last: findings come
	// control by control.
	covering []*compiled
	of       control.ID
}

// On returns what is exempt of an object.
func (b *Book) On(o Object, now time.Time) *Scope {
	if b.Empty() {
		return nil
	}
	return &Scope{book: b, object: o, now: now}
}

// Covers is the name of the Exemption that covers a finding, of several the first by name;
// image is that of the container that it is about, empty for a finding about the whole.
func (s *Scope) Covers(id control.ID, path, image string) string {
	if s == nil {
		return ""
	}
	if s.of != id {
		s.of, s.covering = id, s.find(id)
	}
	for _, c := range s.covering {
		if c.coversImages(s.object.Images, image) && c.coversField(path) {
			return c.name
		}
	}
	return ""
}

// find returns the Exemptions of the object from a control, by name.
func (s *Scope) find(id control.ID) (found []*compiled) {
	for _, c := range s.book.from[string(id)] {
		if s.now.Before(c.expires) && c.matches(&s.object) {
			found = append(found, c)
		}
	}
	for _, c := range s.book.in[s.object.Namespace] {
		if s.now.Before(c.expires) && slices.Contains(c.controls, string(id)) && c.matches(&s.object) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b *compiled) int { return cmp.Compare(a.name, b.name) })
	return found
}
