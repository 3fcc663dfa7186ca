package modprobe

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Dirs are the directories of the configuration; a file in an earlier one masks
// those of its name in the later ones.
var Dirs = []string{"/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d"}

// Install is a line that has modprobe run a command in place of loading modules.
type Install struct {
	Place   Place
	Pattern string // of fnmatch(3), with underscores for dashes
	Command string // for a shell
}

// Softdep is a line that has other modules loaded with some.
type Softdep struct {
	Place   Place
	Pattern string   // as in Install
	Names   []string // those to load, before and after
}

type denial struct {
	place Place
	name  string
}

// config is every line that counts, in the order in which modprobe reads them.
type config struct {
	installs []Install
	running  []int // those of installs whose command is not known to be harmless
	softdeps []Softdep
	denied   []denial
}

// The bounds of a configuration: a large one has some hundred lines.
const (
	maxStatements = 20000
	maxPattern    = 1024
)

// softdepFile is what the modules themselves ask for. modprobe reads it among the
// files of its configuration, in the order of their names.
const softdepFile = "modules.softdep"

// obsolete is the other suffix that libkmod knew, before version 33. What such a file
// has modprobe load counts, and what it keeps out does not: later versions pass over it.
const obsolete = ".alias"

// readConfig returns what it could read, with an error for the rest.
func readConfig(h *host.Host, kernels []*kernel) (config, error) {
	for _, dir := range Dirs {
		// modprobe takes a file in place of the directory for one of configuration.
		if _, err := h.Dir(dir); errors.Is(err, host.ErrNotDirectory) {
			return config{}, err
		}
	}
	var fragments []host.Fragment
	for _, suffix := range []string{".conf", obsolete} {
		list, err := h.Fragments(Dirs, suffix)
		if err != nil {
			return config{}, err
		}
		fragments = append(fragments, list...)
	}
	fragments = slices.DeleteFunc(fragments, func(f host.Fragment) bool { return f.Name[0] == '.' })
	slices.SortFunc(fragments, func(a, b host.Fragment) int { return strings.Compare(a.Name, b.Name) })
	at, _ := slices.BinarySearchFunc(fragments, softdepFile, func(f host.Fragment, name string) int {
		return strings.Compare(f.Name, name)
	})
	for _, k := range kernels {
		p := k.dir + "/" + softdepFile
		file, err := h.File(p)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		fragments = slices.Insert(fragments, at, host.Fragment{Name: softdepFile, Path: p, File: file, Err: err})
	}
	var c config
	var unread []error
	for _, f := range fragments {
		if f.Err == nil {
			f.Err = c.add(f.File)
		}
		if f.Err != nil {
			unread = append(unread, f.Err)
		}
	}
	return c, errors.Join(unread...)
}

// add takes the lines of a file. Lines that modprobe does not understand it passes
// over, and so does this.
func (c *config) add(f *host.File) error {
	if err := f.Text(); err != nil {
		return err
	}
	allows := strings.HasSuffix(f.Path, obsolete)
	for n, line := range statements(string(f.Data)) {
		command, rest := word(line) // that of a comment begins with "#"
		if command != "install" && command != "softdep" && command != "blacklist" {
			continue
		}
		first, rest := word(rest)
		if len(first) > maxPattern || len(c.installs)+len(c.softdeps)+len(c.denied) >= maxStatements {
			return &host.Error{Path: f.At(n), Err: fmt.Errorf("%w: at most %d lines and names of %d bytes are read", host.ErrTooLarge, maxStatements, maxPattern)}
		}
		pattern, ok := normalise(first)
		switch {
		case !ok:
		case command == "blacklist" && allows:
		case command == "blacklist":
			c.denied = append(c.denied, denial{place: Place{f.Path, n}, name: pattern})
		case rest == "":
		case command == "install":
			l := Install{Place: Place{f.Path, n}, Pattern: pattern, Command: rest}
			disables := l.Disables()
			if disables && allows {
				continue
			}
			if !disables {
				c.running = append(c.running, len(c.installs))
			}
			c.installs = append(c.installs, l)
		default:
			c.softdeps = append(c.softdeps, Softdep{Place: Place{f.Path, n}, Pattern: pattern, Names: softdeps(rest)})
		}
	}
	return nil
}

// softdeps are the words after "pre:" and "post:". libkmod 30 overlooks such a word
// if exactly two spaces are in front of the list; this is only the stricter reading.
func softdeps(text string) (names []string) {
	listed := false
	for w := range strings.FieldsSeq(text) {
		switch {
		case w == "pre:" || w == "post:":
			listed = true
		case listed:
			names = append(names, w)
		}
	}
	return names
}

// statements returns the lines as libkmod joins them, with the number of their
// first. A backslash joins two lines, also in a comment; before anything else it
// is dropped.
func statements(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for n := 1; text != ""; n++ {
			first := n
			line, rest, _ := strings.Cut(text, "\n")
			if strings.IndexByte(line, '\\') >= 0 {
				var joined int
				line, rest, joined = wrapped(text)
				n += joined
			}
			if !yield(first, line) {
				return
			}
			text = rest
		}
	}
}

func wrapped(text string) (line, rest string, joined int) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\n':
			return b.String(), text[i+1:], joined
		case c == '\\' && i+1 == len(text):
			c = 0xff // EOF, which libkmod takes for a character here
		case c == '\\':
			i++
			if c = text[i]; c == '\n' {
				joined++
				continue
			}
		}
		b.WriteByte(c)
	}
	return b.String(), "", joined
}

// word takes the first word off, with the one space or tab that ends it.
func word(s string) (first, rest string) {
	s = strings.TrimLeft(s, " \t")
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}
