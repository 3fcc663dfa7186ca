package resource

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/scan"
)

// Decode reads a custom resource from JSON and refuses every field that its type does
// not have: a slip in a name must not become a policy that is looser than it reads. The
// resource is returned beside errors that leave it readable, so that a caller can say
// what else is wrong; nil beside all others. kind is what it must say that it is.
func Decode[T any](data []byte, kind string) (*T, []error) {
	s := scan.New(data) // for names given twice, which encoding/json lets pass
	if err := s.Skip(); err != nil {
		return nil, []error{err}
	}
	if err := s.End(); err != nil {
		return nil, []error{err}
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		return nil, []error{err}
	}
	r := new(T)
	errs, unreadable := walk("", tree, reflect.TypeFor[T]())
	if unreadable { // walk has told, and taken it out
		var err error
		if data, err = json.Marshal(tree); err != nil {
			return nil, append(errs, err)
		}
	}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, append(errs, plain(err))
	}
	var is metav1.TypeMeta
	if err := json.Unmarshal(data, &is); err != nil {
		return nil, append(errs, plain(err))
	}
	if want := v1alpha1.GroupVersion.String(); len(errs) == 0 && (is.APIVersion != want || is.Kind != kind) {
		errs = append(errs, fmt.Errorf("%s %s where %s %s should be", is.APIVersion, is.Kind, want, kind))
	}
	return r, errs
}

// plain says in the user's terms what encoding/json says in Go's.
func plain(err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return err
	}
	err = fmt.Errorf("%s: %s cannot stand here", cmp.Or(wrong.Field, "the document"), withArticle(wrong.Value))
	if wrong.Value == "bool" && strings.HasSuffix(wrong.Field, "mode") {
		err = fmt.Errorf("%w: YAML takes a bare Off for false, write \"Off\" in quotes", err)
	}
	return err
}

func withArticle(value string) string {
	if strings.ContainsAny(value[:1], "ao") { // array, object
		return "an " + value
	}
	return "a " + value
}

// walk goes along the type that a value is meant for, and finds the fields that are
// unknown and those that cannot be read. The latter it takes out of the value.
func walk(at string, value any, t reflect.Type) (errs []error, unreadable bool) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	descend := func(at string, value any, t reflect.Type) {
		more, bad := walk(at, value, t)
		errs, unreadable = append(errs, more...), unreadable || bad
	}
	switch value := value.(type) {
	case []any:
		if t.Kind() == reflect.Slice {
			for i, element := range value {
				descend(fmt.Sprintf("%s[%d]", at, i), element, t.Elem())
			}
		}
	case map[string]any:
		if t.Kind() != reflect.Struct || t == reflect.TypeFor[metav1.ObjectMeta]() {
			return nil, false
		}
		fields := Fields(t)
		for _, name := range sortedKeys(value) {
			below := strings.TrimPrefix(at+"."+name, ".")
			field, known := fields[name]
			switch {
			case !known:
				errs = append(errs, fmt.Errorf("%s: unknown field%s", below, control.Hint(name, sortedKeys(fields))))
			case !readsItself(field):
				descend(below, value[name], field)
			default:
				if err := readLeaf(below, value[name], field); err != nil {
					errs, unreadable = append(errs, err), true
					delete(value, name)
				}
			}
		}
	}
	return errs, unreadable
}

// Fields returns a struct's fields by their JSON names, embedded ones included.
func Fields(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for f := range t.Fields() {
		if name := Name(f); name != "" {
			fields[name] = f.Type
			continue
		}
		if f.Anonymous {
			maps.Copy(fields, Fields(f.Type))
		}
	}
	return fields
}

// Name is the name of a field in JSON; empty where it has none of its own.
func Name(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
