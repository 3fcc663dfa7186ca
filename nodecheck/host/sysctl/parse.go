package sysctl

import (
	"iter"
	"path"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// assignment is a line of a file. One that only excludes a key has no value: nothing
// writes it.
type assignment struct {
	Assignment
	exclude bool
	minus   bool // the line begins with one
}

// assignments parses a file as systemd-sysctl does; procps reads the same language.
func assignments(f *host.File) iter.Seq[assignment] {
	return func(yield func(assignment) bool) {
		for line := range f.Lines() {
			// systemd ends a line at a carriage return, too.
			for text := range strings.SplitSeq(line.Text, "\r") {
				a, ok := parse(text)
				a.Path, a.Line = f.Path, line.N
				if ok && !yield(a) {
					return
				}
			}
		}
	}
}

// parse takes a line apart; false where it sets nothing.
func parse(text string) (a assignment, ok bool) {
	text = strip(text)
	if text == "" || text[0] == '#' || text[0] == ';' {
		return a, false
	}
	key, value, ok := strings.Cut(text, "=")
	unsigned, minus := strings.CutPrefix(key, "-")
	if !ok && !minus {
		return a, false
	}
	a.Key, a.Value, a.exclude = normalize(strip(unsigned)), strip(value), !ok
	a.minus = minus
	return a, true
}

// strip removes what systemd takes for white space.
func strip(s string) string { return strings.Trim(s, " \t\n\r") }

// normalize gives a key the form of a path below /proc/sys. The first separator
// decides: after a dot, dots separate and slashes stand for dots in names; after a
// slash it is the other way round.
func normalize(key string) string {
	if i := strings.IndexAny(key, "/."); i >= 0 && key[i] == '.' {
		key = strings.Map(func(r rune) rune {
			switch r {
			case '.':
				return '/'
			case '/':
				return '.'
			}
			return r
		}, key)
	}
	if key == "" {
		return ""
	}
	return strings.TrimPrefix(path.Clean(key), "/")
}

// isPattern is whether a key has wildcards.
func isPattern(key string) bool { return strings.ContainsAny(key, "*?[") }

// match is glob(7) for a whole path; false where the pattern is none.
func match(pattern, key string) bool {
	ok, err := path.Match(strings.ReplaceAll(pattern, "[!", "[^"), key)
	return err == nil && ok
}

// hasClass is whether a pattern has a character class, which path.Match does not know.
func hasClass(pattern string) bool {
	return strings.Contains(pattern, "[:") || strings.Contains(pattern, "[.") || strings.Contains(pattern, "[=")
}
