package systemd

import (
	"fmt"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// parseEnvironment reads a file of EnvironmentFile as systemd does, which is not
// as a shell does: quotes count at the beginning of a value only, and nothing is
// expanded.
func parseEnvironment(f *host.File, set func(assignment string)) error {
	if err := f.Text(); err != nil {
		return err
	}
	text := string(f.Data)
	line := 1
	for text != "" {
		start := text
		key, rest, found := cutKey(text)
		switch {
		case strings.HasPrefix(key, "#") || strings.HasPrefix(key, ";"):
			comment, after := cutLine(strings.TrimLeft(text, whitespace))
			if continues(comment) {
				// Before version 254 the next line was part of the comment.
				skipped := start[:len(start)-len(after)]
				return &host.Error{
					Path: f.At(line + strings.Count(strings.TrimSuffix(skipped, "\n"), "\n")),
					Err:  fmt.Errorf("%w: a comment ends in a backslash, which versions of systemd read differently", host.ErrMalformed),
				}
			}
			text = after
		case !found:
			text = rest
		default:
			var value string
			value, text = cutValue(rest)
			set(strings.TrimRight(key, whitespace) + "=" + value)
		}
		line += strings.Count(start[:len(start)-len(text)], "\n")
	}
	return nil
}

// cutKey takes what stands before "=" off a text; it is not found where the line
// ends before. A "=" at the beginning is no end.
func cutKey(text string) (key, rest string, found bool) {
	text = strings.TrimLeft(text, whitespace)
	if text == "" {
		return "", "", false
	}
	i := 1 + strings.IndexAny(text[1:], "=\n\r")
	if i > 0 && text[i] == '=' {
		return text[:i], text[i+1:], true
	}
	key, rest = cutLine(text)
	return key, rest, false
}

func cutLine(text string) (line, rest string) {
	if i := strings.IndexAny(text, "\n\r"); i >= 0 {
		return text[:i], text[i+1:]
	}
	return text, ""
}

// cutValue takes a value off a text, up to the end of its line.
func cutValue(text string) (value, rest string) {
	var b []byte
	kept := 0      // how much of b stays when blanks at the end are cut
	plain := false // after the first character outside quotes, quotes are characters
	var quote byte
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote == '\'' && c != quote, quote == '"' && c != quote && c != '\\':
			b = append(b, c)
			kept = len(b)
		case quote != 0 && c == quote:
			quote = 0
		case c == '\\':
			if i++; i == len(text) {
				return string(b), ""
			}
			switch next := text[i]; {
			case quote == '"' && next != '\n' && strings.IndexByte("\"\\`$", next) < 0:
				b = append(b, c, next)
			case next != '\n' && (next != '\r' || quote != 0):
				b = append(b, next)
			}
			plain = plain || quote == 0
			kept = len(b)
		case c == '\n' || c == '\r':
			return string(b[:kept]), text[i+1:]
		case strings.IndexByte(whitespace, c) >= 0:
			if plain {
				b = append(b, c)
			}
		case !plain && (c == '"' || c == '\''):
			quote = c
		default:
			plain = true
			b = append(b, c)
			kept = len(b)
		}
	}
	return string(b[:kept]), ""
}
