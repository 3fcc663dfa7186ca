package resource

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// readsItself is whether a type reads its JSON by code of its own, whose errors do not
// say where they were found: durations, times, limits.
func readsItself(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
}

// readLeaf says what is wrong with the value of a type that reads itself.
func readLeaf(at string, value any, t reflect.Type) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	into := reflect.New(t)
	err = json.Unmarshal(data, into.Interface())
	if err == nil {
		return nil
	}
	_, isText := value.(string)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch wrong := (*json.UnmarshalTypeError)(nil); {
	case isText && t == reflect.TypeFor[metav1.Duration]():
		return fmt.Errorf("%s: %q is no duration such as 90s, 5m or 1h30m", at, value)
	case isText && t == reflect.TypeFor[metav1.Time]():
		return fmt.Errorf("%s: %q is no time such as 2030-01-31T00:00:00Z", at, value)
	case errors.As(err, &wrong):
		return fmt.Errorf("%s: %s cannot stand here", at, withArticle(wrong.Value))
	}
	return fmt.Errorf("%s: %w", at, err)
}
