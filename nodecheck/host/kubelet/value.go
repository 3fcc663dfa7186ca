package kubelet

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Origin is what a value comes from.
type Origin int

// The origins, in the order in which they override each other.
const (
	Default Origin = iota
	File
	DropIn
	Flag
	Configz // what the kubelet says of itself
)

// Value is a setting of the kubelet and where it comes from.
type Value struct {
	// V is a bool, an int64, a string, a time.Duration or a []string, by the field.
	V      any
	Origin Origin
	// Where is the file, with its line; of a default, the file that does not set it.
	Where string
	// Given is the setting as a person would write it there.
	Given string
	// Note says what the value is a default of, or what it overrides.
	Note string
	// Err is why the value cannot be told; V means nothing then.
	Err error
}

// Bool is the value of a boolean setting.
func (v Value) Bool() bool { b, _ := v.V.(bool); return b }

// Int is the value of a number.
func (v Value) Int() int64 { i, _ := v.V.(int64); return i }

// Text is the value of a string.
func (v Value) Text() string { s, _ := v.V.(string); return s }

// Duration is the value of a time.
func (v Value) Duration() time.Duration { d, _ := v.V.(time.Duration); return d }

// List is the value of a list.
func (v Value) List() []string { l, _ := v.V.([]string); return l }

// Same is whether two values are known and equal.
func (v Value) Same(w Value) bool {
	if a, ok := v.V.([]string); ok && len(a) == 0 {
		b, ok := w.V.([]string)
		return ok && len(b) == 0 && v.Err == nil && w.Err == nil
	}
	return v.Err == nil && w.Err == nil && reflect.DeepEqual(v.V, w.V)
}

// write is a setting as a configuration file has it.
func write(path string, v any) string {
	switch v := v.(type) {
	case string:
		if v == "" {
			return path + `: ""`
		}
		return path + ": " + clip(v)
	case []string:
		return path + ": [" + strings.Join(v, ", ") + "]"
	case time.Duration:
		return path + ": " + v.String()
	}
	return fmt.Sprintf("%s: %v", path, v)
}

// over adds to v what it overrides.
func (v Value) over(old Value) Value {
	if old.Origin != Default && old.Err == nil {
		v.Note = join(v.Note, "overrides "+old.Given+" of "+old.Where)
	}
	return v
}
