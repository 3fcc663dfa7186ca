package sysctl

import (
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// Setting is what a node would boot with for one key.
type Setting struct {
	// Assignment is nil where nothing sets the key: it keeps the kernel's default.
	Assignment *Assignment
	// Overridden are other lines for the key that have no effect, the nearest first.
	Overridden []Assignment
	// Refused is a line that would count, had it a value that the kernel takes.
	Refused *Assignment
	// Unapplied is the line of /etc/sysctl.conf where nothing reads that file at boot.
	Unapplied *Assignment
}

// Lookup tells what sets a key of whole numbers, given as a path below /proc/sys. An
// error means that a file which cannot be read may set it.
func (c *Config) Lookup(key string) (Setting, error) {
	var s Setting
	for i := range slices.Backward(c.unapplied) {
		if c.unapplied[i].Key == key {
			s.Unapplied = &c.unapplied[i]
			break
		}
	}
	for i := range slices.Backward(c.layers) {
		a, overridden, err := c.layers[i].find(key)
		if err != nil && s.Assignment != nil {
			continue // whatever it says is overridden
		}
		if err != nil {
			return Setting{}, err
		}
		switch _, number := Int(value(a)); {
		case a == nil:
		case s.Assignment != nil:
			s.Overridden = append(s.Overridden, *a)
		case number:
			s.Assignment = a
		case s.Refused == nil:
			s.Refused = a
		}
		if refused := c.layers[i].refused[key]; refused != nil && s.Refused == nil && s.Assignment == a {
			s.Refused = refused
		}
		s.Overridden = append(s.Overridden, overridden...)
	}
	return s, nil
}

func value(a *Assignment) string {
	if a == nil {
		return ""
	}
	return a.Value
}

// Names returns the elements that lines name between a prefix and a suffix of keys,
// patterns apart, in order: the interfaces of "net/ipv4/conf/" and "/send_redirects".
func (c *Config) Names(prefix, suffix string) []string {
	var names []string
	for i := range c.layers {
		for key := range c.layers[i].latest {
			rest, ok := strings.CutPrefix(key, prefix)
			name, ok2 := strings.CutSuffix(rest, suffix)
			if ok && ok2 && name != "" && !strings.Contains(name, "/") && !isPattern(name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Int reads a value as the kernel does: the first number counts, in C's notation, and
// white space must follow it. False where the kernel refuses it.
func Int(value string) (int, bool) {
	fields := strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' })
	if len(fields) == 0 || strings.ContainsAny(fields[0], "+_") {
		return 0, false
	}
	digits, negative := strings.CutPrefix(fields[0], "-")
	if strings.HasPrefix(digits, "-") || hasPrefixFold(digits, "0b") || hasPrefixFold(digits, "0o") {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 0, 32)
	if err != nil {
		return 0, false
	}
	if negative {
		n = -n
	}
	return int(n), true
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
