package kubelet

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// ConfigzBody is what the kubelet answers to GET /configz. Hand it to a scan with
// host.Provide. Fields that are not read here never leave it: one of them holds
// headers for the URL of static pods, which may be secrets.
type ConfigzBody []byte

// configzWhere names the source in findings.
const configzWhere = "/configz"

// running is what the kubelet says of itself.
type running struct {
	values []Value
	gates  map[string]bool
}

var errConfigz = errors.New("it is not the configuration of a kubelet")

// readConfigz takes the answer apart. Absent fields that are not pointers have the
// zero value: the kubelet leaves them out.
func readConfigz(body ConfigzBody) (*running, error) {
	fail := func(err error) (*running, error) {
		return nil, &host.Error{Path: configzWhere, Err: fmt.Errorf("%w: %w", host.ErrMalformed, err)}
	}
	var answer struct {
		Config map[string]json.RawMessage `json:"kubeletconfig"`
	}
	if len(body) > host.MaxFile {
		return nil, &host.Error{Path: configzWhere, Err: host.ErrTooLarge}
	}
	if json.Unmarshal(body, &answer) != nil {
		return fail(errConfigz)
	}
	r := &running{values: make([]Value, len(Fields))}
	for _, f := range Fields {
		raw, err := pick(answer.Config, f.path)
		if err != nil {
			return fail(fmt.Errorf("%s: %w", f.Path, errType))
		}
		v := Value{Origin: Configz, Where: configzWhere}
		if v.V, err = f.decode(raw); err != nil {
			return fail(fmt.Errorf("%s: %w", f.Path, errType))
		}
		v.Given = write(f.Path, v.V)
		r.values[f.index] = v
	}
	// A kubelet always says this one; an answer without it is something else, and its
	// zeros would look like a closed port.
	if raw, err := pick(answer.Config, AnonymousAuth.path); err != nil || raw == nil {
		return fail(errConfigz)
	}
	if raw := answer.Config["featureGates"]; raw != nil && json.Unmarshal(raw, &r.gates) != nil {
		return fail(fmt.Errorf("featureGates: %w", errType))
	}
	return r, nil
}

// pick walks to a path; nil where it is absent.
func pick(object map[string]json.RawMessage, path []string) (json.RawMessage, error) {
	for _, name := range path[:len(path)-1] {
		raw := object[name]
		if raw == nil {
			return nil, nil
		}
		object = nil
		if err := json.Unmarshal(raw, &object); err != nil {
			return nil, err
		}
	}
	return object[path[len(path)-1]], nil
}

// decode makes a value of JSON.
func (f *Field) decode(raw json.RawMessage) (any, error) {
	if raw == nil {
		raw = json.RawMessage("null")
	}
	switch f.kind {
	case boolean:
		return as[bool](raw)
	case integer:
		return as[int64](raw)
	case list:
		return as[[]string](raw)
	case duration:
		var s string
		if err := json.Unmarshal(raw, &s); err != nil || s == "" {
			return time.Duration(0), err
		}
		return time.ParseDuration(s)
	case text:
	}
	return as[string](raw)
}

func as[T any](raw json.RawMessage) (any, error) {
	var v T
	err := json.Unmarshal(raw, &v)
	return v, err
}

// gate is as for a configuration that is worked out.
func (r *running) gate(name string, standard bool) Value {
	v := Value{V: standard, Origin: Configz, Where: configzWhere, Note: "not set, this is the default"}
	for _, key := range []string{name, "AllBeta"} {
		if on, ok := r.gates[key]; ok {
			return Value{V: on, Origin: Configz, Where: configzWhere, Given: write("featureGates."+key, on)}
		}
	}
	v.Given = write("featureGates."+name, standard)
	return v
}
