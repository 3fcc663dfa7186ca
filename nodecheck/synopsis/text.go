package synopsis

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

const ellipsis = "…"

// text makes what a file of the node says fit to be shown: a terminal must not obey
// it, and it has at most maxText bytes.
func text(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	end := 0 // of what is left room for the ellipsis
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if printable(r, size) {
			b.WriteRune(r)
		} else {
			quoted := strconv.QuoteToASCII(s[i : i+size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		if b.Len() > maxText {
			return b.String()[:end] + ellipsis
		}
		if b.Len() <= maxText-len(ellipsis) {
			end = b.Len()
		}
		i += size
	}
	return b.String()
}

// plain is whether s can stay as it is.
func plain(s string) bool {
	if len(s) > maxText {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// printable is whether a rune is shown as itself: letters, digits, signs and the
// blank, no control characters and none that change the direction of writing.
func printable(r rune, size int) bool {
	return (r != utf8.RuneError || size > 1) && strconv.IsPrint(r)
}
