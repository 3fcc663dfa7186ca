package clusterwide

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The bounds of evidence.
const (
	maxLines = 20
	maxLine  = 200 // bytes
	maxNames = 110 // bytes of names in a line
)

// evidence is what a verdict goes by.
type evidence []string

func (e *evidence) add(format string, args ...any) {
	if len(*e) < maxLines {
		*e = append(*e, cut(fmt.Sprintf(format, args...)))
	}
}

// names adds a line for some namespaces, and none for none of them.
func (e *evidence) names(list []string, format string, args ...any) {
	if len(list) > 0 {
		e.add(format+": %s", append(args, some(list))...)
	}
}

func (e *evidence) all(lines []string) {
	for _, l := range lines {
		e.add("%s", l)
	}
}

// some are as many names as fit, and how many more there are.
func some(names []string) string { return first(names, len(names)) }

func first(names []string, of int) string {
	var b strings.Builder
	shown := 0
	for _, n := range names {
		if shown > 0 && b.Len()+len(n) > maxNames {
			break
		}
		if shown > 0 {
			b.WriteString(", ")
		}
		b.WriteString(n)
		shown++
	}
	if shown < of {
		fmt.Fprintf(&b, " and %d more", of-shown)
	}
	return b.String()
}

func cut(s string) string {
	if len(s) <= maxLine {
		return s
	}
	end := maxLine - len("…")
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// have is "1 namespace has", "2 namespaces have".
func have(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " has"
	}
	return plural(n, noun) + " have"
}

// sample keeps the first of many names, in order, and how many there were.
type sample struct {
	names []string
	count int
}

const maxSample = 10

func (s *sample) add(name string) {
	at, found := slices.BinarySearch(s.names, name)
	if found { // a list that is read again
		return
	}
	s.count++
	if at < maxSample {
		s.names = slices.Insert(s.names, at, name)
		s.names = s.names[:min(len(s.names), maxSample)]
	}
}

func (s *sample) String() string { return first(s.names, s.count) }
