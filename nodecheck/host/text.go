package host

import (
	"bytes"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Line is one line of a file.
type Line struct {
	Text string // without its end of line
	N    int    // from 1
}

// Lines returns the lines of a file. The last may lack its end; a carriage return
// is part of a line.
func (f *File) Lines() iter.Seq[Line] {
	if len(f.text) != len(f.Data) {
		f.text = string(f.Data)
	}
	return func(yield func(Line) bool) {
		n := 0
		for text := range strings.SplitSeq(strings.TrimSuffix(f.text, "\n"), "\n") {
			n++
			if !yield(Line{Text: text, N: n}) {
				return
			}
		}
	}
}

// At names a line of the file: "/etc/login.defs:12".
func (f *File) At(line int) string { return At(f.Path, line) }

// At names a line of a file; the file alone where line is 0.
func At(name string, line int) string {
	if line == 0 {
		return name
	}
	return name + ":" + strconv.Itoa(line)
}

// Text checks that the file is text: valid UTF-8 without NUL bytes.
func (f *File) Text() error {
	if i := bytes.IndexByte(f.Data, 0); i >= 0 {
		return &Error{Path: f.Path, Err: fmt.Errorf("%w: a NUL byte at offset %d", ErrMalformed, i)}
	}
	if !utf8.Valid(f.Data) {
		return &Error{Path: f.Path, Err: fmt.Errorf("%w: not UTF-8", ErrMalformed)}
	}
	return nil
}
