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
func (h *Host) Opened() []string {
	list := slices.AppendSeq(slices.Collect(maps.Keys(h.files)), maps.Keys(h.derived))
	slices.Sort(list)
	return slices.Compact(list)
}
