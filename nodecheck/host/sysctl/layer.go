package sysctl

import (
	"fmt"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// layer is what one program sets in one go: of the lines for one key only the last
// is applied, and patterns leave alone the keys that a line of their own names.
type layer struct {
	options []option
	latest  map[string]int // key or pattern to the index of the option that counts
	files   int
	bad     []badFile
}

// option is a line and its place among the others.
type option struct {
	assignment
	file  int
	older int  // the index of the option that it replaces; -1 for none
	dead  bool // replaced
}

// badFile is one that cannot be read: it may set anything.
type badFile struct {
	file int
	err  error
}

func newLayer() layer { return layer{latest: map[string]int{}} }

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
		if isPattern(a.Key) && hasClass(a.Key) {
			l.bad = append(l.bad, badFile{l.files, &host.Error{
				Path: a.Where(), Err: fmt.Errorf("%w: character classes in patterns are not understood", host.ErrMalformed),
			}})
		}
		l.set(a)
	}
}

func (l *layer) set(a assignment) {
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
	l.options = append(l.options, option{assignment: a, file: l.files, older: i})
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
	if !ok {
		for j := range l.options {
			if o := &l.options[j]; !o.dead && !o.exclude && isPattern(o.Key) && match(o.Key, key) {
				i, ok = j, true // the last one is written last
			}
		}
		if !ok {
			return nil, nil, nil
		}
		return &l.options[i].Assignment, nil, nil
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
