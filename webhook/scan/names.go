package scan

import "bytes"

// manyNames is the size from which an object's names are looked up in a map:
// comparing each with all before it would be quadratic in what a client sends.
const manyNames = 48

// name is one name of an open object. sum rules most of the others out without
// a look at the bytes.
// Where it stands is kept as offsets: pointers would cost a write barrier each.
type name struct {
	sum        uint64
	start, end int
	escaped    bool // the offsets are into plain, not into the document
}

func (s *Scanner) text(n *name) []byte {
	if n.escaped {
		return s.plain[n.start:n.end]
	}
	return s.data[n.start:n.end]
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
	end := s.pos - 1 // the closing quote
	if escaped {
		key = s.unescape(key)
		end = len(s.plain)
	}
	if s.repeated(first, key, name{sum: sum(key), start: end - len(key), end: end, escaped: escaped}) {
		return nil, s.errorf("the name %q is given twice", key)
	}
	if s.peek() != ':' {
		return nil, s.unexpected("a colon")
	}
	s.pos++
	return key, nil
}

// repeated notes the name and says whether the open object already has it.
func (s *Scanner) repeated(first int, key []byte, n name) bool {
	names := s.names[first:]
	if len(names) >= manyNames {
		return s.repeatedInMap(first, key)
	}
	for i := range names {
		if names[i].sum == n.sum && bytes.Equal(s.text(&names[i]), key) {
			return true
		}
	}
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
