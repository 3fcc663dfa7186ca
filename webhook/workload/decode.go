package workload

import (
	"errors"
	"fmt"

	"github.com/hardgate-dev/hardgate/webhook/scan"
)

// mirrorAnnotation marks the pod by which the API server shows a static pod.
const mirrorAnnotation = "kubernetes.io/config.mirror"

// ErrNoKind is the error for an object without apiVersion or kind.
var ErrNoKind = errors.New("apiVersion and kind are not both set")

// Decode reads one object from JSON; its own apiVersion and kind say what it is.
func Decode(data []byte) (Object, error) {
	kind, err := readKind(data)
	if err != nil {
		return Object{}, err
	}
	s := scan.New(data)
	o, err := DecodeAs(s, kind)
	if err == nil {
		err = s.End()
	}
	return o, err
}

// readKind finds apiVersion and kind wherever they stand in the object.
func readKind(data []byte) (Kind, error) {
	var apiVersion, kind string
	s := scan.New(data)
	_, err := s.Object(func(name []byte) (err error) {
		switch string(name) {
		case "apiVersion":
			apiVersion, err = s.String()
		case "kind":
			kind, err = s.String()
		default:
			err = s.Skip()
		}
		return in(name, err)
	})
	if err != nil {
		return Kind{}, err
	}
	if apiVersion == "" || kind == "" {
		return Kind{}, ErrNoKind
	}
	return ParseKind(apiVersion, kind), nil
}

// DecodeAs reads the object at s, which is known to be of kind k. An object that
// calls itself something else is an error, and so is a workload without its pod
// spec.
func DecodeAs(s *scan.Scanner, k Kind) (Object, error) {
	o := Object{Kind: k}
	where, isWorkload, err := locate(k)
	if err != nil {
		return o, err
	}
	if isWorkload {
		o.Pod = &Pod{At: where.at, Template: where.at != "spec"}
	} else {
		o.shape()
	}
	d := decoder{Scanner: s}
	found, err := d.object(&o, where.path)
	if err != nil {
		return o, err
	}
	if isWorkload && !found {
		return o, fmt.Errorf("%s has no %s", k, where.at)
	}
	return o, nil
}

// shape makes room for what policies read of kinds that are no workloads.
func (o *Object) shape() {
	switch k := o.Kind; {
	case k.Group == "" && k.Kind == "ServiceAccount":
		o.ServiceAccount = &ServiceAccount{}
	case isRole(k):
		o.Role = &Role{}
	case isBinding(k):
		o.Binding = &Binding{}
	}
}

type decoder struct{ *scan.Scanner }

// object reads the top level and says whether the pod spec was there.
func (d decoder) object(o *Object, path []string) (found bool, err error) {
	present, err := d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "apiVersion":
			return d.same("apiVersion", o.Kind.APIVersion())
		case "kind":
			return d.same("kind", o.Kind.Kind)
		case "metadata":
			return in("metadata", d.metadata(o))
		case "automountServiceAccountToken":
			if o.ServiceAccount != nil {
				return in("automountServiceAccountToken", d.bool(&o.ServiceAccount.Automount))
			}
		}
		if done, err := d.rbac(o, name); done || err != nil {
			return err
		}
		if len(path) > 0 && string(name) == path[0] {
			found, err = d.descend(o.Pod, path[1:])
			return in(path[0], err)
		}
		return d.Skip()
	})
	if err == nil && !present {
		err = errors.New("the object is null")
	}
	return found, err
}

// same reads a string that must be want.
func (d decoder) same(field, want string) error {
	got, err := d.Bytes()
	if err == nil && len(got) > 0 && string(got) != want {
		err = fmt.Errorf("%q where the request says %q", got, want)
	}
	return in(field, err)
}

func (d decoder) metadata(o *Object) error {
	_, err := d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "name":
			o.Name, err = d.String()
		case "namespace":
			o.Namespace, err = d.String()
		case "generateName":
			o.GenerateName, err = d.String()
		case "annotations":
			_, err = d.Object(func(name []byte) error {
				if string(name) == mirrorAnnotation {
					o.Mirror = true
				}
				return d.Skip()
			})
		case "ownerReferences":
			err = d.List(func(i int) error { return atIndex(i, d.owner(o)) })
		case "managedFields":
			// The API server's own bookkeeping, often as long as all the rest.
			return d.SkipUnchecked()
		default:
			return d.Skip()
		}
		return in(name, err)
	})
	return err
}

// descend goes down path to the pod spec; found is false when it is absent.
func (d decoder) descend(p *Pod, path []string) (found bool, err error) {
	if len(path) == 0 {
		return d.podSpec(p)
	}
	_, err = d.Object(func(name []byte) error {
		if string(name) != path[0] {
			return d.Skip()
		}
		var err error
		found, err = d.descend(p, path[1:])
		return in(path[0], err)
	})
	return found, err
}

// fieldError is an error at a field; the path grows as the error returns.
type fieldError struct {
	path string
	err  error
}

func (e *fieldError) Error() string { return e.path + ": " + e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

// in adds a field's name to the path of an error. Names stay bytes until there is
// an error to put them in: most fields have none.
func in[Name ~string | ~[]byte](field Name, err error) error {
	if err == nil || len(field) == 0 {
		return err
	}
	var f *fieldError
	if !errors.As(err, &f) {
		return &fieldError{path: string(field), err: err}
	}
	if f.path[0] != '[' {
		f.path = "." + f.path
	}
	f.path = string(field) + f.path
	return err
}
