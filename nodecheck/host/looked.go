package host

import (
	"maps"
	"slices"
)

// Listed returns the directories whose names were asked for, in order: a name that
// comes or goes there can change a verdict, whatever it is.
func (h *Host) Listed() []string { return slices.Sorted(maps.Keys(h.dirs)) }

// Opened returns the files whose content was asked for, whether it could be read or
// not, in order.
func (h *Host) Opened() []string { return slices.Sorted(maps.Keys(h.files)) }
