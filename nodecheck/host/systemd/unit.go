package systemd

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Unit is a unit with its drop-ins.
type Unit struct {
	// Name is the unit's own name where it was asked for by another one: "ssh.service"
	// for "sshd.service".
	Name string
	Path string // of the unit's file
	// Masked is whether the file is empty or a link to /dev/null; such a unit does not
	// start and has no settings.
	Masked bool
	// Files are the unit's file and its drop-ins in the order in which they apply.
	Files []string
	// Settings are all assignments in that order.
	Settings []Setting
}

// Setting is one assignment of a unit.
type Setting struct {
	Section, Key string
	// Value is as written, without the blanks around it; continued lines are joined.
	// Those of Environment may be secrets.
	Value string
	Where string // path and line
}

// Bounds of a unit with its drop-ins; real ones have a handful, of some kilobytes.
const (
	maxDropIns = 256
	maxSize    = 1 << 20
)

// Read loads a unit by its name, "ssh.service". Where no directory has it, the
// error wraps fs.ErrNotExist.
func Read(h *host.Host, name string) (*Unit, error) {
	x, err := host.Memo(h, newIndex)
	if err != nil {
		return nil, err
	}
	r, ok := x.loaded[name]
	if !ok {
		r.unit, r.err = x.load(h, name)
		x.loaded[name] = r
	}
	return r.unit, r.err
}

func (x *index) load(h *host.Host, name string) (*Unit, error) {
	id, e, err := x.find(name)
	if err != nil {
		return nil, &host.Error{Path: name, Err: err}
	}
	u := &Unit{Name: id, Path: e.path, Masked: e.masked, Files: []string{e.path}}
	if u.Masked {
		return u, nil
	}
	f, err := h.File(e.path)
	if errors.Is(err, fs.ErrNotExist) {
		// The link is there, what it leads to is not: the unit exists and cannot start.
		return nil, &host.Error{Path: e.path, Err: fmt.Errorf("%w: the link leads nowhere", host.ErrMalformed)}
	}
	if err != nil {
		return nil, err
	}
	if len(f.Data) == 0 {
		u.Masked = true
		return u, nil
	}
	if u.Settings, err = Parse(f); err != nil {
		return nil, err
	}
	if err := u.dropIns(h, x.dropInDirs(append(x.names(id, e), name)), len(f.Data)); err != nil {
		return nil, err
	}
	return u, nil
}

func (u *Unit) dropIns(h *host.Host, dirs []string, size int) error {
	fragments, err := h.Fragments(dirs, ".conf")
	if err != nil {
		return err
	}
	if len(fragments) > maxDropIns {
		return &host.Error{Path: u.Path, Err: fmt.Errorf("%w: more than %d drop-ins", host.ErrTooLarge, maxDropIns)}
	}
	for _, f := range fragments {
		if f.Err != nil {
			return f.Err
		}
		if size += len(f.File.Data); size > maxSize {
			return &host.Error{Path: f.Path, Err: fmt.Errorf("%w: a unit of more than %d bytes", host.ErrTooLarge, maxSize)}
		}
		settings, err := Parse(f.File)
		if err != nil {
			return err
		}
		u.Files = append(u.Files, f.Path)
		u.Settings = append(u.Settings, settings...)
	}
	return nil
}

// Last returns the assignment that counts for a key with one value. An empty value
// stands for the default.
func (u *Unit) Last(section, key string) (Setting, bool) {
	for _, s := range slices.Backward(u.Settings) {
		if s.Section == section && s.Key == key {
			return s, true
		}
	}
	return Setting{}, false
}

// List returns the assignments that count for a key whose values add up: those
// since the last empty one.
func (u *Unit) List(section, key string) []Setting {
	var list []Setting
	for _, s := range u.Settings {
		switch {
		case s.Section != section || s.Key != key:
		case s.Value == "":
			list = nil
		default:
			list = append(list, s)
		}
	}
	return list
}
