package ruling

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// Cell is what a rollout leads on by itself in a namespace: one control of one policy.
type Cell struct {
	Policy  string
	Control control.ID
}

// Reached is how far rollouts have come, by namespace: what the NamespaceReports say.
type Reached map[string]map[Cell]control.Mode

// stage is how far one namespace has come. Namespaces of one key have come equally far.
type stage struct {
	modes map[Cell]control.Mode
	key   string
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
	pins    []pin
}

type pin struct {
	v1alpha1.RolloutCells
	mode control.Mode
}

func compileRollout(r *v1alpha1.Rollout) *rollout {
	if r == nil {
		return nil
	}
	c := &rollout{target: control.Enforce, exclude: r.Exclude}
	if m, ok := mode(r.Target); ok {
		c.target = m
	}
	for _, p := range r.Pins {
		if m, ok := mode(p.Mode); ok {
			c.pins = append(c.pins, pin{p.RolloutCells, m})
		}
	}
	return c
}

// mode is that of a cell which the policy puts at start and whose rollout has reached
// another; Off for one that it has not begun with. A rollout loosens nothing.
func (r *rollout) mode(namespace string, id control.ID, start, reached control.Mode) control.Mode {
	if r == nil {
		return start
	}
	for _, p := range slices.Backward(r.pins) {
		if Selects(&p.RolloutCells, namespace, id) {
			return p.mode
		}
	}
	if start == control.Off || slices.ContainsFunc(r.exclude, func(c v1alpha1.RolloutCells) bool { return Selects(&c, namespace, id) }) {
		return start
	}
	return max(start, min(reached, r.target))
}

// named is whether it says something of a namespace by its name.
func (r *rollout) named(namespace string) bool {
	if r == nil {
		return false
	}
	names := func(c *v1alpha1.RolloutCells) bool { return slices.Contains(c.Namespaces, namespace) }
	return slices.ContainsFunc(r.exclude, func(c v1alpha1.RolloutCells) bool { return names(&c) }) ||
		slices.ContainsFunc(r.pins, func(p pin) bool { return names(&p.RolloutCells) })
}

// Selects is whether a cell is among those that are named.
func Selects(c *v1alpha1.RolloutCells, namespace string, id control.ID) bool {
	return (len(c.Namespaces) == 0 || slices.Contains(c.Namespaces, namespace)) &&
		(len(c.Controls) == 0 || slices.Contains(c.Controls, string(id)))
}
