package sshd

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// ErrRefused says that the server does not take the configuration. It does not start with
// it, and one that runs goes on with what it read before.
var ErrRefused = errors.New("sshd refuses its configuration, so that what runs is not what is written")

const (
	directory = "/etc/ssh" // what relative names in Include begin with
	maxDepth  = 16         // SERVCONF_MAX_DEPTH

	// oldLine is the buffer of a line before OpenSSH 7.8.
	oldLine = 4096

	// Includes may fan out at each depth; real configurations have a few dozen files
	// and hundreds of lines.
	maxParsed   = 2048
	maxPatterns = 4096
	maxLines    = 20_000
	maxBytes    = 4 << 20
)

// assignment is one value of a keyword.
type assignment struct {
	value, where string
	option       bool // of the command line
	scope        scope
}

// scope is when a line holds.
type scope struct {
	// block is whether the line is below a Match: such values are read again for each
	// connection, and override.
	block bool
	// outer are the conditions of the Match blocks that the file was included in;
	// inner is that of the block in the file itself. Empty is none.
	outer, inner string
}

// always is whether the line holds for every connection.
func (s scope) always() bool { return s.outer == "" && s.inner == "" }

// conditions say when the line holds, in words; empty where it always does.
func (s scope) conditions() string {
	if s.outer == "" || s.inner == "" {
		return s.outer + s.inner
	}
	return s.outer + " and " + s.inner
}

type parser struct {
	h       *host.Host
	version Version
	set     map[string][]assignment
	files   []*host.File

	parsed, patterns, lines, bytes int
}

func refused(where, format string, args ...any) error {
	return &host.Error{Path: where, Err: fmt.Errorf("%w: %w", ErrRefused, fmt.Errorf(format, args...))}
}

// file reads one file. Files that are included in a Match block are checked whole
// even where the block does not hold, and so are they here.
func (p *parser) file(name string, s scope, depth int) error {
	if depth > maxDepth {
		return refused(name, "more than %d files include each other", maxDepth)
	}
	f, err := p.h.File(name)
	switch {
	case errors.Is(err, host.ErrNotRegular):
		// The server opens a directory, reads nothing and is content.
		if info, err := p.h.Stat(name); err == nil && info.Type == fs.ModeDir && depth > 0 {
			return nil
		}
		return err
	case errors.Is(err, fs.ErrNotExist):
		return refused(name, "the file does not exist")
	case err != nil:
		return err
	}
	p.parsed++
	p.bytes += len(f.Data)
	if p.parsed > maxParsed || p.bytes > maxBytes {
		return &host.Error{Path: name, Err: fmt.Errorf("%w: more than %d files or %d bytes are included", host.ErrTooLarge, maxParsed, maxBytes)}
	}
	if err := f.Text(); err != nil {
		return err
	}
	p.files = append(p.files, f)
	for line := range f.Lines() {
		if p.lines++; p.lines > maxLines {
			return &host.Error{Path: name, Err: fmt.Errorf("%w: more than %d lines", host.ErrTooLarge, maxLines)}
		}
		text := line.Text
		if p.version.Before(7, 8) && len(text)+len("\n") >= oldLine-1 {
			return refused(f.At(line.N), "the line is too long for %s", p.version)
		}
		if p.version.Before(8, 7) {
			// "#" began a comment wherever it stood.
			text, _, _ = strings.Cut(text, "#")
		}
		text = strings.TrimRight(strings.TrimLeft(text, " \t\r"), blanks+"\f")
		if text == "" || text[0] == '#' {
			continue
		}
		if err := p.line(text, f.At(line.N), &s, depth); err != nil {
			return err
		}
	}
	return nil
}

// line reads one line, or an option of the command line, for which scope is nil.
func (p *parser) line(text, where string, s *scope, depth int) error {
	w := words{rest: text}
	name, ok := w.next()
	if ok && name == "" {
		name, ok = w.next()
	}
	if !ok || name == "" || name[0] == '#' {
		return nil
	}
	if w.done || w.rest == "" {
		return refused(where, "nothing follows %q", name)
	}
	lower := strings.ToLower(name)
	k, known := keywords[lower]
	if !known || p.version.Before(k.since.Major, k.since.Minor) {
		return refused(where, "unknown keyword %q in %s", name, p.version)
	}
	split := arguments
	if p.version.Before(8, 7) {
		split = oldArguments
	}
	args, err := split(w.rest)
	if err != nil {
		return refused(where, "%w", err)
	}
	if s == nil && (k.kind == include || k.kind == match) {
		return refused(where, "%s is no option of the command line", name)
	}
	if s != nil && !s.always() && !k.inMatch(p.version) {
		return refused(where, "%s is not allowed in a Match block", name)
	}
	switch k.kind {
	case match:
		return p.match(w.rest, where, s)
	case include:
		return p.include(args, where, *s, depth)
	case anything, one, oneOf, number, duration, macList:
	}
	value, err := k.value(args, p.version)
	if err != nil {
		return refused(where, "%s: %w", name, err)
	}
	a := assignment{value: value, where: where, option: s == nil}
	if s != nil {
		a.scope = *s
	}
	p.set[lower] = append(p.set[lower], a)
	return nil
}

// match begins a block. One in an included file ends with the file, and holds
// where the block that includes the file holds too.
func (p *parser) match(rest, where string, s *scope) error {
	text, all, err := criteria(rest, p.version)
	if err != nil {
		return refused(where, "%w", err)
	}
	s.block, s.inner = true, text
	if all {
		s.inner = ""
	}
	return nil
}

// include reads the files that patterns name, in the order of the patterns and
// then of the names. That there are none is no mistake.
func (p *parser) include(patterns []string, where string, s scope, depth int) error {
	if len(patterns) == 0 {
		return refused(where, "Include names no file")
	}
	s.outer, s.inner = s.conditions(), ""
	for _, pattern := range patterns {
		if pattern == "" {
			return refused(where, "Include has an empty name")
		}
		if p.patterns++; p.patterns > maxPatterns {
			return &host.Error{Path: where, Err: fmt.Errorf("%w: more than %d patterns in Include", host.ErrTooLarge, maxPatterns)}
		}
		if pattern[0] != '/' && pattern[0] != '~' {
			pattern = path.Join(directory, pattern)
		}
		// glob(3) negates a set of characters with "!", package path with "^".
		names, err := p.h.Glob(strings.ReplaceAll(pattern, "[!", "[^"))
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := p.file(name, s, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}
