package accounts

import (
	"strconv"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Value is one setting with its place; "" is the zero place: it is not set.
type Value struct {
	Text  string
	Where string
}

// Defs is login.defs: its settings by their names.
type Defs struct {
	// Path is the file that was read; "" where there is none.
	Path   string
	values map[string][]Value
}

// ReadDefs reads /etc/login.defs, or /usr/etc/login.defs of a distribution that
// keeps its own files there. Such a distribution also reads login.defs.d; shadow as
// others build it does not. That there is no file is no error.
func ReadDefs(h *host.Host) (Defs, error) { return host.Memo(h, readDefs) }

func readDefs(h *host.Host) (Defs, error) {
	d := Defs{values: map[string][]Value{}}
	for _, path := range []string{"/etc/login.defs", "/usr/etc/login.defs"} {
		f, err := h.File(path)
		if missing(err) {
			continue
		}
		if err != nil {
			return Defs{}, err
		}
		d.Path = path
		if err := d.read(f); err != nil {
			return Defs{}, err
		}
		break
	}
	vendor, err := h.Exists("/usr/etc/login.defs")
	if err != nil || !vendor {
		return d, err
	}
	fragments, err := h.Fragments([]string{"/etc/login.defs.d", "/usr/etc/login.defs.d"}, ".defs")
	if err != nil {
		return Defs{}, err
	}
	for _, f := range fragments {
		if f.Err != nil {
			return Defs{}, f.Err
		}
		if err := d.read(f.File); err != nil {
			return Defs{}, err
		}
	}
	return d, nil
}

// read takes the lines of a file as shadow does, seen with useradd 4.13: a later
// line replaces an earlier one, names are in capitals as written, quotes may
// surround a value, and a comment behind a value belongs to it.
func (d *Defs) read(f *host.File) error {
	if err := f.Text(); err != nil {
		return err
	}
	for line := range f.Lines() {
		text := strings.Trim(line.Text, " \t\r\v\f")
		if text == "" || text[0] == '#' {
			continue
		}
		i := strings.IndexAny(text, " \t")
		if i < 0 {
			continue
		}
		value, _, _ := strings.Cut(strings.TrimLeft(text[i:], " \"\t"), `"`)
		d.values[text[:i]] = append(d.values[text[:i]], Value{Text: value, Where: f.At(line.N)})
	}
	return nil
}

// Get returns a setting: the last line, which is the one that shadow takes.
func (d Defs) Get(name string) (Value, bool) {
	list := d.values[name]
	if len(list) == 0 {
		return Value{}, false
	}
	return list[len(list)-1], true
}

// All returns every line of a setting: modules of PAM take the first.
func (d Defs) All(name string) []Value { return d.values[name] }

// Int returns a number as shadow reads it: 010 is eight and 0x10 sixteen. What is
// no number is as if it were not set, which ok tells.
func (v Value) Int() (n int, ok bool) {
	text := strings.TrimLeft(v.Text, " \t")
	if strings.Contains(text, "_") || hasNewPrefix(text) {
		return 0, false // Go's notations, not C's
	}
	n64, err := strconv.ParseInt(text, 0, 32)
	return int(n64), err == nil
}

// hasNewPrefix is whether a number is written 0b1 or 0o1.
func hasNewPrefix(text string) bool {
	text = strings.ToLower(strings.TrimLeft(text, "+-"))
	return strings.HasPrefix(text, "0b") || strings.HasPrefix(text, "0o")
}

// Useradd is the defaults of useradd.
type Useradd struct {
	// Path is the file that was read; "" where there is none.
	Path string
	// Inactive is the line INACTIVE=; without a place where there is none.
	Inactive Value
}

// ReadUseradd reads /etc/default/useradd, or the one below /usr/etc. That there is
// no file is no error.
func ReadUseradd(h *host.Host) (Useradd, error) { return host.Memo(h, readUseradd) }

func readUseradd(h *host.Host) (Useradd, error) {
	var u Useradd
	for _, path := range []string{"/etc/default/useradd", "/usr/etc/default/useradd"} {
		f, err := h.File(path)
		if missing(err) {
			continue
		}
		if err == nil {
			err = f.Text()
		}
		if err != nil {
			return Useradd{}, err
		}
		u.Path = path
		for line := range f.Lines() {
			if value, ok := strings.CutPrefix(line.Text, "INACTIVE="); ok {
				u.Inactive = Value{Text: value, Where: f.At(line.N)}
			}
		}
		break
	}
	return u, nil
}

// Days returns the inactive days as useradd reads them, seen with useradd 4.13: the
// number alone, no space or comment behind it, and -1 for anything else.
func (u Useradd) Days() int {
	if n, ok := u.Inactive.Int(); ok && n >= -1 {
		return n
	}
	return -1
}
