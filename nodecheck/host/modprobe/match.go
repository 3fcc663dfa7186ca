package modprobe

import "strings"

// normalise makes one spelling of a name or a pattern: underscores for dashes,
// except inside brackets. libkmod refuses a line whose brackets are not in pairs.
func normalise(s string) (string, bool) {
	if strings.IndexByte(s, '[') < 0 {
		return strings.ReplaceAll(s, "-", "_"), s != "" && strings.IndexByte(s, ']') < 0
	}
	var b strings.Builder
	for s != "" {
		head, rest, bracket := strings.Cut(s, "[")
		if strings.IndexByte(head, ']') >= 0 {
			return "", false
		}
		b.WriteString(strings.ReplaceAll(head, "-", "_"))
		if !bracket {
			break
		}
		inside, after, ok := strings.Cut(rest, "]")
		if !ok {
			return "", false
		}
		b.WriteString("[" + inside + "]")
		s = after
	}
	return b.String(), true
}

// match is fnmatch(3) without flags: unlike package path's, a wildcard matches a
// slash and a leading dot, and "!" negates a bracket.
func match(pattern, name string) bool {
	p, n := 0, 0
	star, mark := -1, 0
	for n < len(name) {
		if p < len(pattern) {
			if pattern[p] == '*' {
				star, mark = p, n
				p++
				continue
			}
			if size, ok := element(pattern[p:], name[n]); ok {
				p += size
				n++
				continue
			}
		}
		if star < 0 {
			return false
		}
		// Let the last wildcard take one more; earlier ones need not.
		mark++
		p, n = star+1, mark
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// element matches the first element of a pattern, which is not empty, with one
// byte, and returns its length.
func element(pattern string, c byte) (size int, ok bool) {
	switch pattern[0] {
	case '?':
		return 1, true
	case '\\':
		return 2, len(pattern) > 1 && pattern[1] == c
	case '[':
		if size, ok, closed := bracket(pattern, c); closed {
			return size, ok
		}
	}
	return 1, pattern[0] == c
}

// bracket matches a bracket expression. One that is not closed is a plain "[".
// Classes such as [:alpha:] cannot occur: normalise refuses them.
func bracket(pattern string, c byte) (size int, ok, closed bool) {
	i := 1
	negated := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if negated {
		i++
	}
	for first := i; i < len(pattern); {
		if pattern[i] == ']' && i > first {
			return i + 1, ok != negated, true
		}
		low, n := char(pattern[i:])
		i += n
		high := low
		if i+1 < len(pattern) && pattern[i] == '-' && pattern[i+1] != ']' {
			high, n = char(pattern[i+1:])
			i += 1 + n
		}
		ok = ok || (low <= c && c <= high)
	}
	return 0, false, false
}

// char is one character inside a bracket.
func char(s string) (c byte, size int) {
	if s[0] == '\\' && len(s) > 1 {
		return s[1], 2
	}
	return s[0], 1
}
