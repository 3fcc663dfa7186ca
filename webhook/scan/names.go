package scan

import "bytes"

// manyNames is the size from which an object's names are looked up in a map:
// comparing each with all before it would be quadratic in what a client sends.
const manyNames = 48

// name is one name of an open object. sum rules most of the others out without
// a look at the bytes.
type name struct {
	sum   uint64
	bytes []byte
	// seen holds all names of a large object; only its first name has one.
	seen map[string]struct{}
}

// name reads a member's name and the colon behind it. first is the index in
// s.names of the object's first name.
func (s *Scanner) name(first int) ([]byte, error) {
	if s.peek() != '"' {
		return nil, s.unexpected("a name in quotes")
	}
	key, escaped, err := s.quoted()
	if err != nil {
		return nil, err
	}
	if escaped {
		key = unescape(key)
	}
	if s.repeated(first, key) {
		return nil, s.errorf("the name %q is given twice", key)
	}
	if s.peek() != ':' {
		return nil, s.unexpected("a colon")
	}
	s.pos++
	return key, nil
}

// repeated notes the name and says whether the open object already has it.
func (s *Scanner) repeated(first int, key []byte) bool {
	names := s.names[first:]
	if len(names) >= manyNames {
		return s.repeatedInMap(names, key)
	}
	sum := sum(key)
	for i := range names {
		if names[i].sum == sum && bytes.Equal(names[i].bytes, key) {
			return true
		}
	}
	s.names = append(s.names, name{sum: sum, bytes: key})
	return false
}

func (s *Scanner) repeatedInMap(names []name, key []byte) bool {
	seen := names[0].seen
	if seen == nil {
		seen = make(map[string]struct{}, 2*manyNames)
		for _, n := range names {
			seen[string(n.bytes)] = struct{}{}
		}
		names[0].seen = seen
	}
	if _, twice := seen[string(key)]; twice {
		return true
	}
	seen[string(key)] = struct{}{}
	return false
}

// sum tells names apart by length and first and last bytes; equal sums are
// compared in full.
func sum(key []byte) uint64 {
	n := len(key)
	h := uint64(n) * 0x9e3779b97f4a7c15
	if n >= 8 {
		return h ^ word(key) ^ word(key[n-8:])*31
	}
	for _, c := range key {
		h = h<<8 | h>>56 ^ uint64(c)
	}
	return h
}
