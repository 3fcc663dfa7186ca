package scan

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// MaxDepth is how deep objects and lists may nest. The deepest object that the
// API server serves nests about 30 levels.
const MaxDepth = 200

// Scanner reads one JSON document: call New, or Reset on the zero value. It is not
// safe for concurrent use. After an error its position is undefined.
type Scanner struct {
	data  []byte
	pos   int
	depth int
	names []name // names of the open objects, innermost last; see names.go
	large map[int]map[string]struct{}
	plain []byte // unescaped strings, kept until Reset
}

// New returns a Scanner at the start of data, which it does not modify. Bytes
// that methods return may share data's memory.
func New(data []byte) *Scanner { return &Scanner{data: data} }

// Reset makes the Scanner read data from its start and keeps its buffers: bytes
// that it returned before are no longer valid.
func (s *Scanner) Reset(data []byte) {
	s.data, s.pos, s.depth = data, 0, 0
	s.names, s.large, s.plain = s.names[:0], nil, s.plain[:0]
}

// SyntaxError says what is wrong and at which byte of the document.
type SyntaxError struct {
	Offset int
	Msg    string
}

// Error is the message with its offset.
func (e *SyntaxError) Error() string { return fmt.Sprintf("offset %d: %s", e.Offset, e.Msg) }

func (s *Scanner) errorf(format string, args ...any) error {
	return &SyntaxError{Offset: s.pos, Msg: fmt.Sprintf(format, args...)}
}

// unexpected is the error for whatever stands at the position.
func (s *Scanner) unexpected(want string) error {
	if s.pos >= len(s.data) {
		return s.errorf("the document ends where %s should be", want)
	}
	return s.errorf("%s where %s should be", s.found(want), want)
}

// found names what stands at the position: the value, where one of another type is
// wanted, else the byte.
func (s *Scanner) found(want string) string {
	at := s.data[s.pos:]
	switch want {
	case "an object", "a list", "a string", "a number", "true or false":
		switch c := at[0]; {
		case c == '"':
			return "a string"
		case c == '{':
			return "an object"
		case c == '[':
			return "a list"
		case c == '-' || '0' <= c && c <= '9':
			return "a number"
		}
		for _, word := range []string{"true", "false", "null"} {
			if bytes.HasPrefix(at, []byte(word)) {
				return word
			}
		}
	}
	return strconv.QuoteRune(rune(at[0]))
}

// space returns the index of the next byte from i on that is no white space.
func (s *Scanner) space(i int) int {
	for i < len(s.data) {
		switch s.data[i] {
		case ' ', '\t', '\r', '\n':
			i++
		default:
			return i
		}
	}
	return i
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *Scanner) peek() byte {
	if s.pos < len(s.data) && s.data[s.pos] > ' ' {
		return s.data[s.pos]
	}
	if s.pos = s.space(s.pos); s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

// End returns an error when anything but white space is left.
func (s *Scanner) End() error {
	if s.peek() != 0 || s.pos < len(s.data) {
		return s.unexpected("the end")
	}
	return nil
}

// Object reads an object and calls field for every name in it, in order. field
// must consume the value: read it or Skip it. name is valid until the next call
// on the Scanner. null is an empty object: present is false then.
func (s *Scanner) Object(field func(name []byte) error) (present bool, err error) {
	if s.peek() == 'n' {
		return false, s.literal("null")
	}
	if err := s.enter('{', "an object"); err != nil {
		return false, err
	}
	o := open{first: len(s.names)}
	for more := s.peek() != '}'; more; {
		if s.peek() != '"' {
			return true, s.unexpected("a name in quotes")
		}
		key, next, err := s.name(&o, s.pos)
		if err != nil {
			return true, err
		}
		s.pos = next
		if err := field(key); err != nil {
			return true, err
		}
		if more, err = s.next('}'); err != nil {
			return true, err
		}
	}
	s.close()
	s.closeNames(o.first)
	return true, nil
}

// List reads a list and calls element for every index. element must consume the
// value. null is an empty list.
func (s *Scanner) List(element func(index int) error) error {
	if s.peek() == 'n' {
		return s.literal("null")
	}
	if err := s.enter('[', "a list"); err != nil {
		return err
	}
	more := s.peek() != ']'
	for i := 0; more; i++ {
		if err := element(i); err != nil {
			return err
		}
		var err error
		if more, err = s.next(']'); err != nil {
			return err
		}
	}
	s.close()
	return nil
}

func (s *Scanner) enter(bracket byte, what string) error {
	if s.peek() != bracket {
		return s.unexpected(what)
	}
	if s.depth++; s.depth > MaxDepth {
		return s.errorf("nested deeper than %d levels", MaxDepth)
	}
	s.pos++
	return nil
}

func (s *Scanner) close() {
	s.pos++
	s.depth--
}

// next stands behind a member: true after a comma, false before the bracket.
func (s *Scanner) next(bracket byte) (more bool, err error) {
	switch s.peek() {
	case ',':
		s.pos++
		return true, nil
	case bracket:
		return false, nil
	}
	return false, s.unexpected("a comma or " + strconv.Quote(string(bracket)))
}

// Null consumes a null, where there is one.
func (s *Scanner) Null() (bool, error) {
	if s.peek() != 'n' {
		return false, nil
	}
	return true, s.literal("null")
}

// String reads a string into memory of its own. null is the empty string.
func (s *Scanner) String() (string, error) {
	raw, err := s.Bytes()
	return string(raw), err
}

// Bytes reads a string without copying it. null is nil. The bytes are valid until
// Reset.
func (s *Scanner) Bytes() ([]byte, error) {
	if s.peek() == 'n' {
		return nil, s.literal("null")
	}
	if s.peek() != '"' {
		return nil, s.unexpected("a string")
	}
	end, escaped, err := s.quoted(s.pos)
	if err != nil {
		return nil, err
	}
	raw := s.data[s.pos+1 : end]
	s.pos = end + 1
	if escaped {
		raw = s.unescape(raw)
	}
	if !utf8.Valid(raw) {
		return nil, s.errorf("a string that is not UTF-8")
	}
	return raw, nil
}

// Bool reads true or false. null is absent: set is false then.
func (s *Scanner) Bool() (value, set bool, err error) {
	switch s.peek() {
	case 't':
		return true, true, s.literal("true")
	case 'f':
		return false, true, s.literal("false")
	case 'n':
		return false, false, s.literal("null")
	}
	return false, false, s.unexpected("true or false")
}

// Int reads a whole number of 64 bits, written without fraction or exponent as
// the API server demands. null is absent: set is false then.
func (s *Scanner) Int() (value int64, set bool, err error) {
	if s.peek() == 'n' {
		return 0, false, s.literal("null")
	}
	start := s.pos
	if err := s.number(); err != nil {
		return 0, false, err
	}
	raw := s.data[start:s.pos]
	if bytes.ContainsAny(raw, ".eE") {
		s.pos = start
		return 0, false, s.errorf("%s where a whole number should be", raw)
	}
	value, err = strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		s.pos = start
		return 0, false, s.errorf("%s is beyond %d bits", raw, int(math.Log2(math.MaxInt64))+1)
	}
	return value, true, nil
}

// Raw skips one value and returns its bytes, which share the document's memory.
func (s *Scanner) Raw() ([]byte, error) { return s.RawOf(s.Skip) }

// RawOf returns the bytes of the value that read consumes.
func (s *Scanner) RawOf(read func() error) ([]byte, error) {
	s.peek()
	start := s.pos
	if err := read(); err != nil {
		return nil, err
	}
	return s.data[start:s.pos], nil
}

func (s *Scanner) literal(word string) error {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		return s.unexpected("a value")
	}
	s.pos += len(word)
	return nil
}
