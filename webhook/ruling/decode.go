package ruling

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

// Read reads a WorkloadPolicy from JSON and says all that is wrong with it: what
// Decode refuses and what Validate finds, joined.
func Read(data []byte) (*v1alpha1.WorkloadPolicy, error) {
	r, errs := decode(data)
	if r != nil {
		errs = append(errs, Validate(r)...)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return r, nil
}

// Decode reads a WorkloadPolicy from JSON and refuses every field that it does not
// know: a slip in a name must not become a policy that is looser than it reads.
func Decode(data []byte) (*v1alpha1.WorkloadPolicy, error) {
	r, errs := decode(data)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return r, nil
}

// decode returns the resource beside errors that leave it readable: unknown fields.
func decode(data []byte) (*v1alpha1.WorkloadPolicy, []error) {
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
	errs := unknownFields("", tree, reflect.TypeFor[v1alpha1.WorkloadPolicy]())
	r := &v1alpha1.WorkloadPolicy{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, append(errs, plain(err))
	}
	if want := v1alpha1.GroupVersion.String(); len(errs) == 0 && (r.APIVersion != want || r.Kind != "WorkloadPolicy") {
		errs = append(errs, fmt.Errorf("%s %s where %s WorkloadPolicy should be", r.APIVersion, r.Kind, want))
	}
	return r, errs
}

// plain says in the user's terms what encoding/json says in Go's.
func plain(err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return err
	}
	article := "a"
	if strings.ContainsAny(wrong.Value[:1], "ao") { // array, object
		article = "an"
	}
	err = fmt.Errorf("%s: %s %s cannot stand here", cmp.Or(wrong.Field, "the document"), article, wrong.Value)
	if wrong.Value == "bool" && strings.HasSuffix(wrong.Field, "mode") {
		err = fmt.Errorf("%w: YAML takes a bare Off for false, write \"Off\" in quotes", err)
	}
	return err
}

// unknownFields walks a value along the type that it is meant for.
func unknownFields(at string, value any, t reflect.Type) (errs []error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch value := value.(type) {
	case []any:
		if t.Kind() == reflect.Slice {
			for i, element := range value {
				errs = append(errs, unknownFields(fmt.Sprintf("%s[%d]", at, i), element, t.Elem())...)
			}
		}
	case map[string]any:
		if t.Kind() != reflect.Struct || t == reflect.TypeFor[metav1.ObjectMeta]() {
			return nil
		}
		fields := fieldsOf(t)
		for _, name := range sortedKeys(value) {
			below := strings.TrimPrefix(at+"."+name, ".")
			field, known := fields[name]
			if !known {
				errs = append(errs, fmt.Errorf("%s: unknown field%s", below, control.Hint(name, sortedKeys(fields))))
				continue
			}
			errs = append(errs, unknownFields(below, value[name], field)...)
		}
	}
	return errs
}

// fieldsOf returns a struct's fields by their JSON names, embedded ones included.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for f := range t.Fields() {
		if name := jsonName(f); name != "" {
			fields[name] = f.Type
			continue
		}
		if f.Anonymous {
			maps.Copy(fields, fieldsOf(f.Type))
		}
	}
	return fields
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
