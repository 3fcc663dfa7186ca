package scan

// SkipUnchecked passes over one value and only finds its end: strings are read as
// strings and brackets must match, but names may be given twice and commas may be
// anywhere. It is for long parts that nobody reads, now or later, and that the
// client did not write.
func (s *Scanner) SkipUnchecked() error {
	if c := s.peek(); c != '{' && c != '[' {
		return s.Skip()
	}
	var lists [MaxDepth/64 + 1]uint64 // a bit for each open bracket: set for a list
	data, depth := s.data, 0
	for i := s.pos; i < len(data); i++ {
		switch c := data[i]; c {
		case '"':
			end, _, err := s.quoted(i)
			if err != nil {
				return err
			}
			i = end
		case '{', '[':
			if s.depth+depth >= MaxDepth {
				s.pos = i
				return s.errorf("nested deeper than %d levels", MaxDepth)
			}
			if bit := uint64(1) << (depth % 64); c == '[' {
				lists[depth/64] |= bit
			} else {
				lists[depth/64] &^= bit
			}
			depth++
		case '}', ']':
			depth--
			if isList := lists[depth/64]>>(depth%64)&1 == 1; isList != (c == ']') {
				s.pos = i
				return s.unexpected("the other bracket")
			}
			if depth == 0 {
				s.pos = i + 1
				return nil
			}
		}
	}
	s.pos = len(data)
	return s.unexpected("a closing bracket")
}
