// Package pwquality reads the settings of libpwquality, by which pam_pwquality
// judges new passwords: see pwquality.conf(5).
package pwquality

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strconv"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

const (
	mainFile  = "/etc/security/pwquality.conf"
	directory = "/etc/security/pwquality.conf.d"
)

// Setting is one value and its place.
type Setting struct {
	Value int
	Where string // path and line; "" where it is the default
}

// Settings are those of a node, by their names in small letters. The zero value is
// libpwquality's defaults.
type Settings struct {
	set map[string]Setting
}

// kinds of settings.
type kind uint8

const (
	number kind = iota
	text        // which no control asks for
	flag        // on as soon as it is named, whatever its value
)

// known are the settings up to libpwquality 1.4.5. Any other name is an error there.
var known = map[string]kind{
	"difok": number, "minlen": number, "dcredit": number, "ucredit": number, "lcredit": number, "ocredit": number,
	"minclass": number, "maxrepeat": number, "maxclassrepeat": number, "maxsequence": number, "gecoscheck": number,
	"dictcheck": number, "usercheck": number, "usersubstr": number, "enforcing": number, "retry": number,
	"badwords": text, "dictpath": text, "enforce_for_root": flag, "local_users_only": flag,
}

// defaults are those of libpwquality since 1.4; what is not here is 0.
var defaults = map[string]int{
	"difok": 1, "minlen": 8, "dictcheck": 1, "usercheck": 1, "enforcing": 1, "retry": 1,
}

// Read returns the settings of the files. Seen with pwscore of libpwquality 1.4.5:
// the files *.conf of pwquality.conf.d are read first, in the order of their names,
// and pwquality.conf last, so that it wins; of two lines the later wins; names are
// in any letters; what cannot be read ends the reading of all. The last is an error
// here. That no file exists is none.
func Read(h *host.Host) (Settings, error) { return host.Memo(h, read) }

func read(h *host.Host) (Settings, error) {
	s := Settings{set: map[string]Setting{}}
	fragments, err := h.Fragments([]string{directory}, ".conf")
	if err != nil {
		return Settings{}, err
	}
	main, err := h.File(mainFile)
	if !errors.Is(err, fs.ErrNotExist) {
		fragments = append(fragments, host.Fragment{Path: mainFile, File: main, Err: err})
	}
	for _, f := range fragments {
		if f.Err == nil {
			f.Err = s.read(f.File)
		}
		if f.Err != nil {
			return Settings{}, f.Err
		}
	}
	return s, nil
}

// maxLine is how long a line may be.
const maxLine = 1023

func (s *Settings) read(f *host.File) error {
	if err := f.Text(); err != nil {
		return err
	}
	for line := range f.Lines() {
		if len(line.Text) >= maxLine {
			return malformed(f.At(line.N), "a line of more than 1023 bytes")
		}
		text, _, _ := strings.Cut(line.Text, "#")
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		name, value := text, ""
		if i := strings.IndexAny(text, "= \t\v\f\r"); i >= 0 {
			name, value = text[:i], strings.TrimSpace(text[i:])
			value = strings.TrimSpace(strings.TrimPrefix(value, "="))
		}
		if err := s.assign(name, value, f.At(line.N)); err != nil {
			return malformed(f.At(line.N), err.Error())
		}
	}
	return nil
}

func (s *Settings) assign(name, value, where string) error {
	name = strings.ToLower(name)
	k, ok := known[name]
	if !ok {
		return fmt.Errorf("unknown setting %q", name)
	}
	n := 1
	if k == number {
		var err error
		if n, err = strconv.Atoi(value); err != nil {
			return fmt.Errorf("%s is no number", name)
		}
	}
	s.set[name] = Setting{Value: n, Where: where}
	return nil
}

// With returns the settings with the arguments of a module on top, which win. As in
// the module, an argument that is no setting changes nothing.
func (s Settings) With(args []string, where string) Settings {
	on := Settings{set: maps.Clone(s.set)}
	if on.set == nil {
		on.set = map[string]Setting{}
	}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		_ = on.assign(name, value, where) // the module only logs it
	}
	return on
}

// Get returns a setting; without a place where it is the default.
func (s Settings) Get(name string) Setting {
	if v, ok := s.set[name]; ok {
		return v
	}
	return Setting{Value: defaults[name]}
}

func malformed(where, what string) error {
	return &host.Error{Path: where, Err: fmt.Errorf("%w: %s", host.ErrMalformed, what)}
}
