package ruling

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// Cell is what a rollout leads on by itself in a namespace: one control of one policy.
type Cell struct {
	// Policy is an Identity.
	Policy  string
	Control control.ID
}

// Identity is what tells a policy from one of the same name that was there before. Where the
// UID is not known it is the name's.
func Identity(name string, uid types.UID) string {
	if uid == "" {
		return name
	}
	return name + "/" + string(uid) // a name has no slash
}

// Reached is how far rollouts have come, by namespace: what the NamespaceReports say.
type Reached map[string]map[Cell]control.Mode

// stage is how far one namespace has come. Namespaces of one key have come equally far.
type stage struct {
	modes map[Cell]control.Mode
	key   string
}

// of is how far a policy has come with a control. What is stored without a UID is the
// policy's of that name.
func (s *stage) of(e *entry, id control.ID) control.Mode {
	if m, ok := s.modes[Cell{e.identity, id}]; ok {
		return m
	}
	return s.modes[Cell{e.name, id}]
}

func (r Reached) stages() map[string]stage {
	stages := make(map[string]stage, len(r))
	// The key is part of what every request looks up: short, and not all that it stands for.
	known := map[string]string{}
	for namespace, modes := range r {
		parts := make([]string, 0, len(modes))
		for c, m := range modes {
			parts = append(parts, fmt.Sprintf("|%s/%s=%d", c.Policy, c.Control, m))
		}
		slices.Sort(parts)
		whole := strings.Join(parts, "")
		key, ok := known[whole]
		if !ok {
			key = fmt.Sprintf("|%d", len(known))
			known[whole] = key
		}
		stages[namespace] = stage{modes: modes, key: key}
	}
	return stages
}

// rollout is that of a policy; nil for one that has none.
type rollout struct {
	target  control.Mode
	exclude []v1alpha1.RolloutCells
	pins    []v1alpha1.RolloutPin
}

func compileRollout(r *v1alpha1.Rollout) *rollout {
	if r == nil {
		return nil
	}
	c := &rollout{target: control.Enforce, exclude: r.Exclude, pins: r.Pins}
	if m, ok := mode(r.Target); ok {
		c.target = m
	}
	return c
}

// mode is that of a cell which the policy puts at start and whose rollout has reached
// another; Off for one that it has not begun with. A rollout loosens nothing.
func (r *rollout) mode(namespace string, id control.ID, start, reached control.Mode) control.Mode {
	if r == nil {
		return start
	}
	h := HoldOf(r.pins, namespace, id)
	switch {
	case h.Pinned:
		return h.Mode
	case start == control.Off, slices.ContainsFunc(r.exclude, func(c v1alpha1.RolloutCells) bool { return Selects(&c, namespace, id) }):
		return min(start, h.Mode)
	}
	return min(max(start, min(reached, r.target)), h.Mode)
}

// Hold is what the pins of a rollout make of a cell.
type Hold struct {
	// Pinned is whether the cell is in Mode, whatever it would be in. Otherwise Mode is the
	// strictest that it may be in.
	Pinned bool
	Mode   control.Mode
}

// HoldOf is what pins make of a cell. A mode that is not known holds nothing.
func HoldOf(pins []v1alpha1.RolloutPin, namespace string, id control.ID) Hold {
	h := Hold{Mode: control.Enforce}
	for i := range pins {
		p := &pins[i]
		m, ok := mode(p.Mode)
		switch {
		case !ok || !Selects(&p.RolloutCells, namespace, id):
		case p.AtMost:
			h.Mode = min(h.Mode, m)
		default:
			h = Hold{Pinned: true, Mode: m}
		}
	}
	return h
}

// named is whether it says something of a namespace by its name.
func (r *rollout) named(namespace string) bool {
	if r == nil {
		return false
	}
	names := func(c *v1alpha1.RolloutCells) bool { return slices.Contains(c.Namespaces, namespace) }
	return slices.ContainsFunc(r.exclude, func(c v1alpha1.RolloutCells) bool { return names(&c) }) ||
		slices.ContainsFunc(r.pins, func(p v1alpha1.RolloutPin) bool { return names(&p.RolloutCells) })
}

// Selects is whether a cell is among those that are named. Those of objects without a
// namespace are named as their report is.
func Selects(c *v1alpha1.RolloutCells, namespace string, id control.ID) bool {
	if namespace == "" {
		namespace = v1alpha1.ClusterScopedReportName
	}
	return (len(c.Namespaces) == 0 || slices.Contains(c.Namespaces, namespace)) &&
		(len(c.Controls) == 0 || slices.Contains(c.Controls, string(id)))
}
