package policy

import (
	"strconv"
	"strings"

	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// Default is a value to set where an object says nothing. A list is appended to
// the list that is there.
type Default struct {
	// Pointer is the way from the object to the field, list indexes in decimal.
	Pointer []string
	// Value is a bool, a string, a []any or a map[string]any.
	Value any
}

// podDefault is a default below the pod's spec.
func (s *Subject) podDefault(value any, field ...string) Default {
	return Default{Pointer: append(strings.Split(s.Pod.At, "."), field...), Value: value}
}

// containerDefault is a default below a container.
func (s *Subject) containerDefault(c *workload.Container, value any, field ...string) Default {
	return s.podDefault(value, append([]string{c.List, strconv.Itoa(c.Index)}, field...)...)
}
