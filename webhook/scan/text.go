package scan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

func word(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stops marks, with the high bit of each byte, those of w that end a plain run
// in a string: a quote, a backslash or a control character. Bytes above the
// first mark may be marked wrongly; only the first is used.
func stops(w uint64) uint64 {
	quote := w ^ ones*'"'
	slash := w ^ ones*'\\'
	return ((quote-ones)&^quote | (slash-ones)&^slash | (w-ones*0x20)&^w) & highs
}

// quoted finds the end of the string whose opening quote is at i: the index of its
// closing quote, and whether there are escapes in between.
func (s *Scanner) quoted(i int) (end int, escaped bool, err error) {
	data := s.data
	for i++; ; {
		for i+8 <= len(data) {
			if m := stops(word(data[i:])); m != 0 {
				i += bits.TrailingZeros64(m) / 8
				break
			}
			i += 8
		}
		if i >= len(data) {
			s.pos = len(data)
			return 0, false, s.unexpected("the end of a string")
		}
		switch c := data[i]; {
		case c == '"':
			return i, escaped, nil
		case c == '\\':
			escaped = true
			if i, err = s.escape(i); err != nil {
				return 0, false, err
			}
		case c < ' ':
			s.pos = i
			return 0, false, s.errorf("a control character in a string")
		default:
			i++
		}
	}
}

// escape checks the escape at i and returns the index behind it.
func (s *Scanner) escape(i int) (int, error) {
	if i+1 >= len(s.data) {
		s.pos = i
		return 0, s.errorf("the document ends in an escape")
	}
	switch s.data[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2, nil
	case 'u':
		if _, ok := hex4(s.data[i+2:]); ok {
			return i + 6, nil
		}
	}
	s.pos = i
	return 0, s.errorf("an unknown escape in a string")
}

// unescape returns raw, whose escapes quoted has checked, in its plain form. A
// lone surrogate becomes U+FFFD, as in encoding/json.
func (s *Scanner) unescape(raw []byte) []byte {
	start := len(s.plain)
	plain := s.plain
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			run := bytes.IndexByte(raw[i:], '\\')
			if run < 0 {
				run = len(raw) - i
			}
			plain = append(plain, raw[i:i+run]...)
			i += run
			continue
		}
		switch c := raw[i+1]; c {
		case 'b':
			plain = append(plain, '\b')
		case 'f':
			plain = append(plain, '\f')
		case 'n':
			plain = append(plain, '\n')
		case 'r':
			plain = append(plain, '\r')
		case 't':
			plain = append(plain, '\t')
		case 'u':
			r, _ := hex4(raw[i+2:])
			i += 6
			if utf16.IsSurrogate(r) {
				low, ok := rune(-1), false
				if len(raw)-i >= 6 && raw[i] == '\\' && raw[i+1] == 'u' {
					low, ok = hex4(raw[i+2:])
				}
				if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
					r = pair
					i += 6
				} else {
					r = utf8.RuneError
				}
			}
			plain = utf8.AppendRune(plain, r)
			continue
		default: // a quote, a backslash or a slash stands for itself
			plain = append(plain, c)
		}
		i += 2
	}
	s.plain = plain
	return plain[start:]
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
