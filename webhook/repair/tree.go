package repair

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/hardgate-dev/hardgate/webhook/scan"
)

// field is a field or an element on the way to what is added, and what the object has
// there.
type field struct {
	name   string
	inside []*field
	// value is what is to be added here; nil on the way.
	value any

	there   bool // whether it has a value, which null is not
	isList  bool
	applied bool
}

// plant notes a default and returns its field; nil where another value is wished for
// there already: the stricter ruling comes first. Lists are joined.
func (f *field) plant(pointer []string, value any) *field {
	for _, name := range pointer {
		i := slices.IndexFunc(f.inside, func(c *field) bool { return c.name == name })
		if i < 0 {
			i = len(f.inside)
			f.inside = append(f.inside, &field{name: name})
		}
		f = f.inside[i]
	}
	had, isList := f.value.([]any)
	more, moreList := value.([]any)
	switch {
	case f.value == nil:
		f.value = value
	case isList && moreList:
		had = slices.Clone(had)
		for _, v := range more {
			if !slices.ContainsFunc(had, func(h any) bool { return reflect.DeepEqual(h, v) }) {
				had = append(had, v)
			}
		}
		f.value = had
	case !reflect.DeepEqual(f.value, value):
		return nil
	}
	return f
}

// isIndex is whether a step is an element of a list.
func isIndex(name string) bool {
	_, err := strconv.Atoi(name)
	return err == nil
}

// read finds out what the object at s has of the fields.
func (f *field) read(s *scan.Scanner) error {
	if len(f.inside) == 0 {
		raw, err := s.Raw()
		if err == nil {
			f.there, f.isList = raw[0] != 'n', raw[0] == '['
		}
		return err
	}
	if isIndex(f.inside[0].name) {
		f.isList, f.there = true, true
		return s.List(func(i int) error { return f.step(s, strconv.Itoa(i)) })
	}
	present, err := s.Object(func(name []byte) error { return f.step(s, string(name)) })
	f.there = present
	return err
}

func (f *field) step(s *scan.Scanner, name string) error {
	for _, c := range f.inside {
		if c.name == name {
			if err := c.read(s); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		}
	}
	return s.Skip()
}

// operation is one of RFC 6902.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// additions are the operations that add what is missing below f, which is at a path.
func (f *field) additions(path string) (all []operation, err error) {
	switch {
	case !f.there && isIndex(f.name):
		return nil, fmt.Errorf("there is no %s", path) // to add it would make a new element
	case !f.there:
		value, err := f.whole()
		return []operation{{"add", path, value}}, err
	case len(f.inside) > 0:
		for _, c := range f.inside {
			more, err := c.additions(path + "/" + escape(c.name))
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
	case f.isList:
		values, _ := f.value.([]any)
		for _, v := range values {
			all = append(all, operation{"add", path + "/-", v})
		}
		f.applied = len(values) > 0
	}
	return all, nil
}

// whole is the value of a field that is not there, with all that is wished for in it.
func (f *field) whole() (any, error) {
	if len(f.inside) == 0 {
		f.applied = true
		return f.value, nil
	}
	value := make(map[string]any, len(f.inside))
	for _, c := range f.inside {
		if isIndex(c.name) {
			return nil, fmt.Errorf("the list %s has no element %s", f.name, c.name)
		}
		var err error
		if value[c.name], err = c.whole(); err != nil {
			return nil, err
		}
	}
	return value, nil
}
