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
}

// place is a field on the way to a finding.
type place struct{ path, same string }

// spec is the place of the pod's spec.
func (s *Subject) spec() place { return place{s.Pod.At, s.Pod.At} }

// container is the place of a container.
func (s *Subject) container(c *workload.Container) place {
	return s.spec().item(c.List, c.Index, c.Name)
}

func (p place) field(name string) place {
	if p.path == "" {
		return place{name, name}
	}
	return place{p.path + "." + name, p.same + "." + name}
}

// of keeps the path of what the pod says and makes it the fault of the container
// that inherits it: one that is added later inherits anew, and one that says the
// same itself has no new fault.
func (p place) of(own place) place { return place{p.path, own.same} }

// item is an element of a list; as is what it is known by when the list changes.
func (p place) item(list string, index int, as string) place {
	p = p.field(list)
	return place{p.path + "[" + strconv.Itoa(index) + "]", p.same + "[" + as + "]"}
}

// found makes the finding.
func (p place) found(format string, args ...any) Finding {
	detail := format
	if len(args) > 0 {
		detail = fmt.Sprintf(format, args...)
	}
	return Finding{Path: p.path, Detail: detail, Same: p.same}
}
