package review

import (
	"cmp"
	"fmt"
	"sync"

	"github.com/hardgate-dev/hardgate/webhook/scan"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// The only version of AdmissionReview that is read, and its kind.
const (
	APIVersion = "admission.k8s.io/v1"
	Kind       = "AdmissionReview"
)

// The operations of AdmissionRequest.operation.
const (
	Create = "CREATE"
	Update = "UPDATE"
)

// Request is what the gate reads of an AdmissionRequest. Object and Old point into
// the document it was decoded from.
type Request struct {
	UID         string
	Kind        workload.Kind
	Subresource string
	Namespace   string
	Name        string
	Operation   string
	// DryRun is whether nothing is stored, whatever the answer.
	DryRun bool
	User   User
	// Object and Old are the raw objects; nil where the request has none.
	Object, Old []byte
	// Workload and OldWorkload are decoded by Decode with DecodeObjects.
	Workload, OldWorkload *workload.Object
}

// User is who made the request.
type User struct {
	Name   string
	Groups []string
}

// Error says what is wrong with a document. UID is the request's, where it could
// be read, whatever else is wrong.
type Error struct {
	UID string
	Err error
}

// Error is the message.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Objects says how Decode treats the objects of a request.
type Objects bool

// Whether objects are decoded on the way, in the same pass, or only delimited.
const (
	RawObjects    Objects = false
	DecodeObjects Objects = true
)

// Decode reads an AdmissionReview. Every error is an *Error.
func Decode(data []byte, objects Objects) (*Request, error) {
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	d.Reset(data)
	d.objects, d.found, d.request = objects, false, &Request{}
	err := d.review()
	if err == nil {
		err = d.End()
	}
	if err == nil {
		err = d.complete()
	}
	if err != nil {
		return nil, &Error{UID: cmp.Or(d.request.UID, UID(data)), Err: err}
	}
	return d.request, nil
}

// UID looks for the uid of a review alone, which may stand behind what stopped
// Decode. The API server writes it first, so that the beginning of a document will
// do. Empty where there is none.
func UID(data []byte) (uid string) {
	s := scan.New(data)
	_, _ = s.Object(func(name []byte) error { // Decode has the error already
		if string(name) != "request" {
			return s.Skip()
		}
		_, err := s.Object(func(name []byte) (err error) {
			if string(name) != "uid" {
				return s.Skip()
			}
			uid, err = s.String()
			return err
		})
		return err
	})
	return uid
}

// decoders keep their scanners' buffers from one request to the next.
var decoders = sync.Pool{New: func() any { return new(decoder) }}

type decoder struct {
	scan.Scanner
	objects Objects
	request *Request
	found   bool
}

func (d *decoder) review() error {
	var apiVersion, kind string
	_, err := d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "apiVersion":
			apiVersion, err = d.String()
		case "kind":
			kind, err = d.String()
		case "request":
			d.found, err = d.Object(d.field)
		default:
			return d.Skip()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	if err == nil && (apiVersion != APIVersion || kind != Kind) {
		err = fmt.Errorf("%q %q where %s %s should be", apiVersion, kind, APIVersion, Kind)
	}
	return err
}

func (d *decoder) field(name []byte) (err error) {
	r := d.request
	switch string(name) {
	case "uid":
		r.UID, err = d.String()
	case "kind":
		r.Kind, err = d.kind()
	case "subResource":
		r.Subresource, err = d.String()
	case "namespace":
		r.Namespace, err = d.String()
	case "name":
		r.Name, err = d.String()
	case "operation":
		r.Operation, err = d.String()
	case "dryRun":
		r.DryRun, _, err = d.Bool()
	case "userInfo":
		err = d.user()
	case "object":
		r.Object, r.Workload, err = d.payload()
	case "oldObject":
		r.Old, r.OldWorkload, err = d.payload()
	default:
		return d.Skip()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// payload reads an object in the same pass where its kind has been seen, which the
// API server writes first; else complete does it afterwards.
func (d *decoder) payload() (raw []byte, o *workload.Object, err error) {
	if null, err := d.Null(); null || err != nil {
		return nil, nil, err
	}
	if d.objects == RawObjects || d.request.Kind == (workload.Kind{}) {
		raw, err = d.Raw()
		return raw, nil, err
	}
	raw, err = d.RawOf(func() error {
		decoded, err := workload.DecodeAs(&d.Scanner, d.request.Kind)
		o = &decoded
		return err
	})
	return raw, o, err
}

// complete checks what every request has, and decodes objects that came before
// their kind.
func (d *decoder) complete() error {
	r := d.request
	switch {
	case !d.found:
		return fmt.Errorf("the review has no request")
	case r.UID == "":
		return fmt.Errorf("the request has no uid")
	case r.Kind.Kind == "":
		return fmt.Errorf("the request has no kind")
	case r.Operation == "":
		return fmt.Errorf("the request has no operation")
	}
	if d.objects == RawObjects {
		return nil
	}
	for _, o := range []struct {
		field string
		raw   []byte
		to    **workload.Object
	}{{"object", r.Object, &r.Workload}, {"oldObject", r.Old, &r.OldWorkload}} {
		if o.raw == nil || *o.to != nil {
			continue
		}
		decoded, err := workload.DecodeAs(scan.New(o.raw), r.Kind)
		if err != nil {
			return fmt.Errorf("%s: %w", o.field, err)
		}
		*o.to = &decoded
	}
	return nil
}

func (d *decoder) kind() (k workload.Kind, err error) {
	_, err = d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "group":
			k.Group, err = d.String()
		case "version":
			k.Version, err = d.String()
		case "kind":
			k.Kind, err = d.String()
		default:
			return d.Skip()
		}
		return err
	})
	return k, err
}

func (d *decoder) user() error {
	_, err := d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "username":
			d.request.User.Name, err = d.String()
		case "groups":
			err = d.List(func(int) error {
				group, err := d.String()
				d.request.User.Groups = append(d.request.User.Groups, group)
				return err
			})
		default:
			return d.Skip()
		}
		return err
	})
	return err
}
