package scan

// Skip passes over one value of any kind, checking its form and its names.
func (s *Scanner) Skip() error {
	switch c := s.peek(); {
	case c == '"':
		_, _, err := s.quoted()
		return err
	case c == '{':
		return s.skipObject()
	case c == '[':
		return s.skipList()
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	case c == '-' || '0' <= c && c <= '9':
		return s.number()
	}
	return s.unexpected("a value")
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

// skipObject is Object without its callback: most of a document goes this way.
func (s *Scanner) skipObject() error {
	if err := s.open('{', "an object"); err != nil {
		return err
	}
	first := len(s.names)
	for more := s.peek() != '}'; more; {
		if _, err := s.name(first); err != nil {
			return err
		}
		if err := s.Skip(); err != nil {
			return err
		}
		var err error
		if more, err = s.next('}'); err != nil {
			return err
		}
	}
	s.close()
	s.closeNames(first)
	return nil
}

func (s *Scanner) skipList() error {
	if err := s.open('[', "a list"); err != nil {
		return err
	}
	for more := s.peek() != ']'; more; {
		if err := s.Skip(); err != nil {
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
