package scan

import (
	"bytes"
	"encoding/binary"
)

// manyNames is the size from which an object's names are looked up in a map:
// comparing each with all before it would be quadratic in what a client sends.
const manyNames = 48

// name is one name of an open object. sum rules most of the others out without
// a look at the bytes.
// Where it stands is kept as offsets: pointers would cost a write barrier each, and
// documents are far smaller than 4 GiB.
type name struct {
	sum    uint64
	start  uint32
	length int32 // negative: the offset is into plain, not into the document
}

func (s *Scanner) text(n *name) []byte {
	if n.length < 0 {
		return s.plain[n.start : int64(n.start)-int64(n.length)]
	}
	return s.data[n.start : int64(n.start)+int64(n.length)]
}

// names of one open object: where they start in Scanner.names, and a filter that
// holds a bit of each sum: a name whose bit is new is new itself.
type open struct {
	first  int
	filter uint64
}

// name reads the name at i, which must be a quote, and the colon behind it, and
// returns the index of the value.
func (s *Scanner) name(o *open, i int) (key []byte, next int, err error) {
	end, escaped, err := s.quoted(i)
	if err != nil {
		return nil, 0, err
	}
	key = s.data[i+1 : end]
	n := name{start: uint32(i + 1), length: int32(len(key))}
	if escaped {
		key = s.unescape(key)
		n = name{start: uint32(len(s.plain) - len(key)), length: -int32(len(key))}
	}
	n.sum = sum(key)
	if s.repeated(o, key, n) {
		s.pos = end + 1
		return nil, 0, s.errorf("the name %q is given twice", key)
	}
	next, err = s.colon(end + 1)
	return key, next, err
}

// colon passes over the colon at i.
func (s *Scanner) colon(i int) (next int, err error) {
	if i < len(s.data) && s.data[i] == ':' {
		return i + 1, nil
	}
	if i = s.space(i); i < len(s.data) && s.data[i] == ':' {
		return i + 1, nil
	}
	s.pos = i
	return 0, s.unexpected("a colon")
}

// repeated notes the name and says whether the open object already has it.
func (s *Scanner) repeated(o *open, key []byte, n name) bool {
	names := s.names[o.first:]
	if len(names) >= manyNames {
		return s.repeatedInMap(o.first, key)
	}
	bit := uint64(1) << (n.sum >> 58)
	if o.filter&bit != 0 {
		for i := range names {
			if names[i].sum == n.sum && bytes.Equal(s.text(&names[i]), key) {
				return true
			}
		}
	}
	o.filter |= bit
	s.names = append(s.names, n)
	return false
}

// repeatedInMap is repeated for an object with many names. Objects that are open at
// once start at different indexes.
func (s *Scanner) repeatedInMap(first int, key []byte) bool {
	seen := s.large[first]
	if seen == nil {
		seen = make(map[string]struct{}, 2*manyNames)
		names := s.names[first:]
		for i := range names {
			seen[string(s.text(&names[i]))] = struct{}{}
		}
		if s.large == nil {
			s.large = make(map[int]map[string]struct{})
		}
		s.large[first] = seen
	}
	if _, twice := seen[string(key)]; twice {
		return true
	}
	seen[string(key)] = struct{}{}
	return false
}

// closeNames forgets the names of an object that ends.
func (s *Scanner) closeNames(first int) {
	if s.large != nil {
		delete(s.large, first)
	}
	s.names = s.names[:first]
}

// sum tells names apart by length and first and last bytes; equal sums are
// compared in full. Its highest bits are spread for the filter.
func sum(key []byte) uint64 {
	const spread = 0x9e3779b97f4a7c15
	n := len(key)
	h := uint64(n)
	switch {
	case n >= 8:
		h ^= word(key) ^ word(key[n-8:])*31
	case n >= 4:
		h ^= uint64(binary.LittleEndian.Uint32(key)) | uint64(binary.LittleEndian.Uint32(key[n-4:]))<<32
	default:
		for _, c := range key {
			h = h<<8 ^ uint64(c)
		}
	}
	return h * spread
}
