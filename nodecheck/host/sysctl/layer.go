package sysctl

import (
	"errors"
	"fmt"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// layer is what one program sets in one go. systemd applies the last line for a key
// only, and its patterns leave alone the keys that a line of their own names.
type layer struct {
	// procps applies every line, so that one which the kernel refuses changes nothing.
	// What patterns do differs between its versions.
	procps bool
	// literal is whether the program takes patterns and a minus for parts of a name,
	// which no key has. It is asked when the first comes.
	literal func() (bool, error)
	refused map[string]*Assignment // by procps, where no later line of the key has a number
	options []option
	// patterns are the indexes of the options whose keys are patterns.
	patterns []int
	latest   map[string]int // key or pattern to the index of the option that counts
	files    int
	bad      []badFile
}

// option is a line and its place among the others.
type option struct {
	assignment
	file  int
	older int  // the index of the option that it replaces; -1 for none
	dead  bool // replaced
}

// The bounds of what the files of a node set; real ones set some dozens. Each pattern is
// compared with every key that is judged.
const (
	maxOptions  = 20000
	maxPatterns = 500
)

// badFile is one that cannot be read: it may set anything.
type badFile struct {
	file int
	err  error
}

func newLayer(procps bool) layer {
	return layer{procps: procps, literal: func() (bool, error) { return false, nil }, refused: map[string]*Assignment{}, latest: map[string]int{}}
}

// add reads the next file. It is empty if it does not exist: a dangling link sets
// nothing.
func (l *layer) add(f *host.File, err error) {
	l.files++
	if missing(err) {
		return
	}
	if err == nil {
		err = f.Text()
	}
	if err != nil {
		l.bad = append(l.bad, badFile{l.files, err})
		return
	}
	for a := range assignments(f) {
		if len(l.options) == maxOptions || len(l.patterns) == maxPatterns {
			l.bad = append(l.bad, badFile{l.files, &host.Error{
				Path: a.Where(), Err: fmt.Errorf("%w: more than %d lines or %d patterns", host.ErrTooLarge, maxOptions, maxPatterns),
			}})
			return
		}
		if a.minus || isPattern(a.Key) {
			literal, err := l.literal()
			if err != nil {
				l.bad = append(l.bad, badFile{l.files, err}) // it may set what it says, or nothing
			}
			if literal {
				continue
			}
		}
		if isPattern(a.Key) && hasClass(a.Key) {
			l.bad = append(l.bad, badFile{l.files, &host.Error{
				Path: a.Where(), Err: fmt.Errorf("%w: character classes in patterns are not understood", host.ErrMalformed),
			}})
		}
		l.set(a)
	}
}

func (l *layer) set(a assignment) {
	if _, number := Int(a.Value); l.procps && !number {
		if !a.exclude {
			l.refused[a.Key] = &a.Assignment
		}
		return
	}
	delete(l.refused, a.Key)
	i, ok := l.latest[a.Key]
	if !ok {
		i = -1
	} else if old := &l.options[i]; old.Value == a.Value && old.exclude == a.exclude {
		// It says the same again: for the order among patterns the first line counts.
		old.assignment, old.file = a, l.files
		return
	} else {
		old.dead = true
	}
	l.latest[a.Key] = len(l.options)
	if isPattern(a.Key) {
		l.patterns = append(l.patterns, len(l.options))
	}
	l.options = append(l.options, option{assignment: a, file: l.files, older: i})
}

var errPattern = errors.New("versions of procps differ in what a pattern sets")

// pattern returns the line with a pattern that sets a key; nil where there is none. All
// are written in their order, and those that the kernel refuses change nothing.
func (l *layer) pattern(key string) (found *Assignment) {
	numbers := false
	for _, i := range l.patterns {
		o := &l.options[i]
		if o.dead || o.exclude || !match(o.Key, key) {
			continue
		}
		if _, number := Int(o.Value); number || !numbers {
			found, numbers = &o.Assignment, numbers || number
		}
	}
	return found
}

// find returns the line that sets a key, and those for the same key that it
// overrides; nil where none does.
func (l *layer) find(key string) (*Assignment, []Assignment, error) {
	i, ok := l.latest[key]
	for _, bad := range l.bad {
		if !ok || bad.file >= l.options[i].file {
			return nil, nil, bad.err
		}
	}
	if !ok || l.procps {
		pattern := l.pattern(key)
		if pattern != nil && l.procps {
			return nil, nil, &host.Error{Path: pattern.Where(), Err: errPattern}
		}
		if !ok {
			return pattern, nil, nil
		}
	}
	var overridden []Assignment
	for j := l.options[i].older; j >= 0; j = l.options[j].older {
		if !l.options[j].exclude {
			overridden = append(overridden, l.options[j].Assignment)
		}
	}
	if l.options[i].exclude {
		return nil, overridden, nil
	}
	return &l.options[i].Assignment, overridden, nil
}
