package host

import "reflect"

// provided keeps what is handed in apart from what Memo keeps for the same type.
type provided[T any] struct{ value T }

// Provide hands a reader what no file of the node says, or what an earlier scan
// found and need not be looked for again. Values are told apart by their types, so
// each reader takes one of its own; the last one provided counts.
func Provide[T any](h *Host, v T) { h.memo[reflect.TypeFor[provided[T]]()] = provided[T]{v} }

// Provided returns the value of a type, and whether there is one.
func Provided[T any](h *Host) (T, bool) {
	p, ok := h.memo[reflect.TypeFor[provided[T]]()].(provided[T])
	return p.value, ok
}
