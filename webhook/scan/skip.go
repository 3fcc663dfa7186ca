package scan

import "strconv"

// Skip passes over one value of any kind, checking its form and its names.
func (s *Scanner) Skip() error {
	end, err := s.skip(s.pos)
	if err == nil {
		s.pos = end
	}
	return err
}

// skip passes over the value at i and returns the index behind it. Most of a
// document goes this way, so indexes are passed in registers and Scanner.pos is
// set for errors only.
func (s *Scanner) skip(i int) (int, error) {
	if i = s.space(i); i < len(s.data) {
		switch c := s.data[i]; {
		case c == '"':
			end, _, err := s.quoted(i)
			return end + 1, err
		case c == '{':
			return s.skipObject(i)
		case c == '[':
			return s.skipList(i)
		case c == '-' || '0' <= c && c <= '9':
			s.pos = i
			err := s.number()
			return s.pos, err
		case c == 't':
			return s.skipWord(i, "true")
		case c == 'f':
			return s.skipWord(i, "false")
		case c == 'n':
			return s.skipWord(i, "null")
		}
	}
	s.pos = i
	return 0, s.unexpected("a value")
}

func (s *Scanner) skipWord(i int, word string) (int, error) {
	s.pos = i
	err := s.literal(word)
	return s.pos, err
}

// SkipEmpty is Skip, and says whether the value was null, {} or [].
func (s *Scanner) SkipEmpty() (empty bool, err error) {
	raw, err := s.Raw()
	if err != nil || len(raw) == 0 {
		return false, err
	}
	switch raw[0] {
	case 'n':
		return true, nil
	case '{', '[':
		inner := Scanner{data: raw[1:]}
		c := inner.peek()
		return c == '}' || c == ']', nil
	}
	return false, nil
}

// skipObject is Object without its callback.
func (s *Scanner) skipObject(i int) (int, error) {
	i, empty, err := s.skipOpen(i, '}')
	if empty || err != nil {
		return i, err
	}
	o := open{first: len(s.names)}
	for more := true; more; {
		if i >= len(s.data) || s.data[i] != '"' {
			if i = s.space(i); i >= len(s.data) || s.data[i] != '"' {
				s.pos = i
				return 0, s.unexpected("a name in quotes")
			}
		}
		if _, i, err = s.name(&o, i); err != nil {
			return 0, err
		}
		if i, err = s.skip(i); err != nil {
			return 0, err
		}
		if i, more, err = s.skipNext(i, '}'); err != nil {
			return 0, err
		}
	}
	s.depth--
	s.closeNames(o.first)
	return i, nil
}

// skipList is List without its callback.
func (s *Scanner) skipList(i int) (int, error) {
	i, empty, err := s.skipOpen(i, ']')
	if empty || err != nil {
		return i, err
	}
	for more := true; more; {
		if i, err = s.skip(i); err != nil {
			return 0, err
		}
		if i, more, err = s.skipNext(i, ']'); err != nil {
			return 0, err
		}
	}
	s.depth--
	return i, nil
}

// skipOpen passes over the bracket at i, and the closing one where nothing is in
// between.
func (s *Scanner) skipOpen(i int, bracket byte) (next int, empty bool, err error) {
	if s.depth >= MaxDepth {
		s.pos = i
		return 0, false, s.errorf("nested deeper than %d levels", MaxDepth)
	}
	i = s.space(i + 1)
	if i < len(s.data) && s.data[i] == bracket {
		return i + 1, true, nil
	}
	s.depth++
	return i, false, nil
}

// skipNext passes over what stands behind a member: more is true after a comma,
// false after the bracket.
func (s *Scanner) skipNext(i int, bracket byte) (next int, more bool, err error) {
	if i >= len(s.data) || s.data[i] <= ' ' {
		i = s.space(i)
	}
	if i < len(s.data) {
		switch s.data[i] {
		case ',':
			return i + 1, true, nil
		case bracket:
			return i + 1, false, nil
		}
	}
	s.pos = i
	return 0, false, s.unexpected("a comma or " + strconv.Quote(string(bracket)))
}

// number passes over a number as RFC 8259 writes it.
func (s *Scanner) number() error {
	if s.pos < len(s.data) && s.data[s.pos] == '-' {
		s.pos++
	}
	switch {
	case s.pos < len(s.data) && s.data[s.pos] == '0':
		s.pos++
	case !s.digits():
		return s.unexpected("a number")
	}
	if s.pos < len(s.data) && s.data[s.pos] == '.' {
		s.pos++
		if !s.digits() {
			return s.unexpected("a digit")
		}
	}
	if s.pos < len(s.data) && s.data[s.pos]|0x20 == 'e' {
		s.pos++
		if s.pos < len(s.data) && (s.data[s.pos] == '+' || s.data[s.pos] == '-') {
			s.pos++
		}
		if !s.digits() {
			return s.unexpected("a digit")
		}
	}
	return nil
}

// digits passes over digits and says whether there was one.
func (s *Scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && '0' <= s.data[s.pos] && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}
