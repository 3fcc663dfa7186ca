package kubelet

import (
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// State tells what is in force from what the kubelet would come up with. It is
// empty where the two are not told apart.
type State string

// The states.
const (
	Running   State = "running"
	Persisted State = "persisted"
)

// Reading is a value in one state.
type Reading struct {
	Value
	State State
}

// Field returns what a field is: in force and on disk where the two are known
// apart, once otherwise. There is always one reading at least. Without an account of
// the kubelet's own, files that changed after it started do not tell what is in
// force; flags do.
func (k *Kubelet) Field(f *Field) []Reading {
	return k.readings(
		func(c *config) Value { return c.values[f.index] },
		func() Value {
			v := k.configz.values[f.index]
			switch {
			case f == SeccompDefault && !v.Bool():
				return k.seccomp(v)
			case f.names:
				return k.absolute(v)
			}
			return v
		})
}

var errNotTold = errors.New("its flag counts too, and /configz does not tell it")

// seccomp adds the flag to what /configz says: the flag is a setting of its own.
func (k *Kubelet) seccomp(v Value) Value {
	if k.now == nil {
		v.Err = &host.Error{Path: configzWhere, Err: fmt.Errorf("%s: %w", SeccompDefault.Path, errNotTold)}
		return v
	}
	if values := k.now.every(SeccompDefault.Flag); len(values) > 0 {
		if f := k.now.fromFlag(SeccompDefault, values); f.Err != nil || f.Bool() {
			return f
		}
	}
	return v
}

// absolute makes a path that the kubelet tells absolute: it leaves those of flags and
// drop-ins as they are, and opens them where it runs.
func (k *Kubelet) absolute(v Value) Value {
	name := v.Text()
	if name == "" || path.IsAbs(name) {
		return v
	}
	if k.now == nil || k.now.dir == "" {
		v.Err = &host.Error{Path: configzWhere, Err: fmt.Errorf("%q: %w", clip(name), errRelative)}
		return v
	}
	v.V = path.Join(k.now.dir, name)
	return v
}

// Gate returns whether a feature gate of the beta stage is on; standard is its
// default.
func (k *Kubelet) Gate(name string, standard bool) []Reading {
	return k.readings(
		func(c *config) Value { return c.gate(name, standard) },
		func() Value { return k.configz.gate(name, standard) })
}

// Flag returns what a flag is that no field stands for; V is "" where it is not
// given. A path is made absolute if names is set.
func (k *Kubelet) Flag(name string, names bool) []Reading {
	return k.readings(func(c *config) Value {
		v := Value{Where: c.where, Err: c.err, Note: "not set"}
		given, ok := c.last(name)
		v.V, v.Given = given, "--"+name+"="+clip(given)
		if !ok {
			v.Given = ""
			return v
		}
		v.Origin, v.Note = Flag, ""
		if names && v.Err == nil {
			v.V, v.Err = c.abs(given)
		}
		return v
	}, nil)
}

// readings puts the sources in their states, and says where the kubelet's own word is
// missing among them.
func (k *Kubelet) readings(of func(*config) Value, account func() Value) []Reading {
	list := k.sources(of, account)
	if account != nil {
		for i := range list {
			list[i] = k.silence.note(list[i])
		}
	}
	return list
}

func (k *Kubelet) sources(of func(*config) Value, account func() Value) []Reading {
	disk := k.next
	if disk == nil {
		disk = k.now
	}
	var list []Reading
	switch {
	case account != nil && k.configz != nil:
		list = append(list, Reading{account(), Running})
	case account != nil && k.configzErr != nil:
		list = append(list, Reading{Value{Where: configzWhere, Err: k.configzErr}, Running})
	case account != nil && k.changed != nil && of(k.now).Origin != Flag:
		list = append(list, Reading{Value{Where: k.now.where, Err: k.changed}, Running})
	case k.now != nil && k.next != nil:
		now, next := of(k.now), of(k.next)
		if now.Same(next) {
			return []Reading{{now, ""}}
		}
		return []Reading{{now, Running}, {next, Persisted}}
	}
	switch {
	case disk != nil && len(list) > 0:
		return append(list, Reading{of(disk), Persisted})
	case disk != nil:
		return []Reading{{of(disk), ""}}
	case len(list) > 0:
		list[0].State = ""
		return list
	}
	return []Reading{{Value{Where: k.place(), Err: k.unknown()}, ""}}
}

// unknown is why nothing is known of the kubelet's settings.
func (k *Kubelet) unknown() error {
	if err := errors.Join(k.err, k.UnitErr); err != nil {
		return err
	}
	return &host.Error{Path: k.place(), Err: errNoStart}
}

// Files returns the configuration file and the drop-ins, whether they could be read
// or not, and why there may be more of them.
func (k *Kubelet) Files() ([]string, error) {
	if k.now == nil && k.next == nil {
		return nil, k.unknown()
	}
	return k.files, k.filesErr
}

// Effective returns the value of every field by the flags and the files, by the
// field's path, in the types of JSON; featureGates are those that are set. What
// cannot be told is left out, and is in the error.
func (k *Kubelet) Effective() (map[string]any, error) {
	c := k.now
	if c == nil {
		c = k.next
	}
	if c == nil {
		return nil, k.unknown()
	}
	gates := map[string]any{}
	errs := []error{c.gateProblem}
	for name, v := range c.gates {
		if errs = append(errs, v.Err); v.Err == nil {
			gates[name] = v.V
		}
	}
	values, err := export(c.values, gates)
	return values, errors.Join(append(errs, err)...)
}

// Account is what the kubelet says of itself, in the form of Effective; nil where
// nothing was provided.
func (k *Kubelet) Account() (map[string]any, error) {
	if k.configz == nil {
		return nil, k.configzErr
	}
	gates := map[string]any{}
	for name, on := range k.configz.gates {
		gates[name] = on
	}
	return export(k.configz.values, gates)
}

func export(values []Value, gates map[string]any) (map[string]any, error) {
	m := map[string]any{"featureGates": gates}
	var errs []error
	for _, f := range Fields {
		v := values[f.index]
		errs = append(errs, v.Err)
		if v.Err != nil {
			continue
		}
		switch x := v.V.(type) {
		case time.Duration:
			m[f.Path] = x.String()
		case []string:
			m[f.Path] = append([]string{}, x...) // none and an empty one are the same
		default:
			m[f.Path] = x
		}
	}
	return m, errors.Join(errs...)
}
