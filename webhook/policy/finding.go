package policy

import (
	"fmt"
	"strconv"

	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// Finding is one thing that is wrong.
type Finding struct {
	// Path is the field: "spec.containers[0].securityContext.privileged".
	Path string `json:"path"`
	// Detail is what was found there: "privileged is true".
	Detail string `json:"detail"`
	// Same identifies the finding in another version of its object. It is Path
	// with names for indexes, and with the value where another value would be
	// another fault.
	Same string `json:"-"`
	// Kin are other findings of the same fault, milder and worse; nil for most.
	Kin *Kin `json:"-"`
	// Container is the one that it is about; nil for a pod or an object as a whole.
	Container *workload.Container `json:"-"`
}

// Kin are findings beside which one is nothing new, each by its Same.
type Kin struct {
	// Weaker are those that this one stands for: where an object had this, it had
	// those.
	Weaker []string
	// Stronger are those that this one is part of: where an object had one of those,
	// it had this. It is for what stands for more than can be listed.
	Stronger []string
	// Parts are what this one is made of, each by what it is called alone and by what it
	// would be part of. It is nothing new where the old object had all of them.
	Parts []Part
}

// Part is one of several things that a finding is about, by the names of any of which the
// old object may have had it. The first is its own.
type Part []string

// place is where a finding would be. Its words are put together by found alone:
// most places turn out to be fine.
type place struct {
	spec      string // the path of the pod's spec; empty for an object's own field
	container *workload.Container
	// inherited is whether the pod says it and the container only inherits it: the
	// path is the pod's then.
	inherited bool
	value     string // more to know the finding by
	known     string // all that the finding is known by, with value; empty for its path
	steps     [3]step
	depth     int
}

// step is a field, or an element of a list.
type step struct {
	name  string
	list  bool
	index int
	as    string // what the element is known by when the list changes
}

// spec is the place of the pod's spec.
func (s *Subject) spec() place { return place{spec: s.Pod.At} }

// container is the place of a container.
func (s *Subject) container(c *workload.Container) place {
	return place{spec: s.Pod.At, container: c}
}

// of keeps the path of what the pod says and makes it the fault of the container
// that inherits it: one that is added later inherits anew, and one that says the
// same itself has no new fault.
func (p place) of(own place) place {
	p.container, p.inherited = own.container, true
	return p
}

func (p place) field(name string) place { return p.step(step{name: name}) }

// item is an element of a list; as is what it is known by when the list changes.
func (p place) item(list string, index int, as string) place {
	return p.step(step{name: list, list: true, index: index, as: as})
}

func (p place) step(s step) place {
	p.steps[p.depth] = s
	p.depth++
	return p
}

// worth makes the value part of what the finding is known by.
func (p place) worth(value string) place {
	p.value += value
	return p
}

// found makes the finding.
func (p place) found(format string, args ...any) Finding {
	detail := format
	if len(args) > 0 {
		detail = fmt.Sprintf(format, args...)
	}
	return Finding{Path: p.path(), Detail: detail, Same: p.same(), Container: p.container}
}

func (p *place) path() string {
	var buffer [128]byte
	text := append(buffer[:0], p.spec...)
	if c := p.container; c != nil && !p.inherited {
		text = appendIndex(appendName(text, c.List), c.Index)
	}
	for _, s := range p.steps[:p.depth] {
		text = appendName(text, s.name)
		if s.list {
			text = appendIndex(text, s.index)
		}
	}
	return string(text)
}

func (p *place) same() string {
	if p.known != "" {
		return p.known + " " + p.value
	}
	var buffer [128]byte
	text := append(buffer[:0], p.spec...)
	if c := p.container; c != nil {
		text = appendKey(appendName(text, c.List), c.Name)
	}
	for _, s := range p.steps[:p.depth] {
		text = appendName(text, s.name)
		if s.list {
			text = appendKey(text, s.as)
		}
	}
	return string(append(text, p.value...))
}

func appendName(text []byte, name string) []byte {
	if len(text) > 0 {
		text = append(text, '.')
	}
	return append(text, name...)
}

func appendIndex(text []byte, index int) []byte {
	return append(strconv.AppendInt(append(text, '['), int64(index), 10), ']')
}

func appendKey(text []byte, key string) []byte {
	return append(append(append(text, '['), key...), ']')
}
