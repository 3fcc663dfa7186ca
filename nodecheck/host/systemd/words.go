package systemd

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

var errQuote = errors.New("a quote without its end")

// word takes the first word off a text, as extract_first_word() of systemd does
// with EXTRACT_UNQUOTE and EXTRACT_CUNESCAPE: quotes may begin and end within a
// word, an unknown escape is left as it is. Not ok means that there is none.
func word(text string) (first, rest string, ok bool, err error) {
	text = strings.TrimLeft(text, whitespace)
	if text == "" {
		return "", "", false, nil
	}
	var b strings.Builder
	var quote byte
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\':
			r, n := unescape(text[i+1:])
			if n == 0 {
				b.WriteByte(c)
				continue
			}
			b.WriteString(r)
			i += n
		case c == quote:
			quote = 0
		case quote != 0:
			b.WriteByte(c)
		case c == '"' || c == '\'':
			quote = c
		case strings.IndexByte(whitespace, c) >= 0:
			return b.String(), strings.TrimLeft(text[i:], whitespace), true, nil
		default:
			b.WriteByte(c)
		}
	}
	if quote != 0 {
		return "", "", false, errQuote
	}
	return b.String(), "", true, nil
}

// words takes a text apart.
func words(text string) (list []string, err error) {
	for {
		w, rest, ok, err := word(text)
		if err != nil || !ok {
			return list, err
		}
		list = append(list, w)
		text = rest
	}
}

var escapes = map[byte]string{
	'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v", '\\': `\`, '"': `"`, '\'': "'", 's': " ",
}

// unescape returns what stands after a backslash and its length, 0 where it is no
// escape.
func unescape(text string) (string, int) {
	if text == "" {
		return "", 0
	}
	if s, ok := escapes[text[0]]; ok {
		return s, 1
	}
	start, digits, base := 1, 0, 16
	switch text[0] {
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		start, digits, base = 0, 3, 8
	}
	if len(text) < start+digits {
		return "", 0
	}
	code, err := strconv.ParseUint(text[start:start+digits], base, 32)
	switch {
	case err != nil || code == 0:
		return "", 0
	case text[0] == 'u' || text[0] == 'U':
		if code > utf8.MaxRune || !utf8.ValidRune(rune(code)) {
			return "", 0
		}
		return string(rune(code)), start + digits
	case code > 0xff:
		return "", 0
	}
	return string([]byte{byte(code)}), start + digits
}

// fields takes the value of a variable apart where it stands as a word of its own:
// quotes hold words together, a backslash takes the next character as it is, and
// nothing is an error.
func fields(text string) (list []string) {
	var b strings.Builder
	var quote byte
	inWord := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case c == '\\':
		case c == quote:
			quote = 0
		case quote != 0:
			b.WriteByte(c)
		case c == '"' || c == '\'':
			quote = c
		case strings.IndexByte(whitespace, c) >= 0:
			if inWord {
				list = append(list, b.String())
				b.Reset()
			}
			inWord = false
			continue
		default:
			b.WriteByte(c)
		}
		inWord = true
	}
	if inWord {
		list = append(list, b.String())
	}
	return list
}
