package systemd

import (
	"fmt"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

const whitespace = " \t\n\r"

// maxValue bounds a value, so that what its specifiers stand for stays bounded too.
const maxValue = 128 << 10

// Parse reads the assignments of one file in the syntax of units and of systemd's
// own configuration, see systemd.syntax(7). What systemd passes over with a warning
// is passed over: lines without "=", and assignments before the first section.
func Parse(f *host.File) ([]Setting, error) {
	if err := f.Text(); err != nil {
		return nil, err
	}
	var (
		settings  []Setting
		section   string
		continued strings.Builder
		start     int
	)
	take := func(text string, line int) error {
		switch name, ok := strings.CutPrefix(text, "["); {
		case ok && !strings.HasSuffix(name, "]"):
			return &host.Error{Path: f.At(line), Err: fmt.Errorf("%w: a section without its end", host.ErrMalformed)}
		case ok:
			section = strings.TrimSuffix(name, "]")
			return nil
		}
		key, value, ok := strings.Cut(text, "=")
		if ok && section != "" {
			settings = append(settings, Setting{
				Section: section, Key: strings.Trim(key, whitespace), Value: strings.Trim(value, whitespace), Where: f.At(line),
			})
		}
		return nil
	}
	for line := range f.Lines() {
		text := line.Text
		if line.N == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		text = strings.TrimLeft(text, whitespace)
		if strings.HasPrefix(text, "#") || strings.HasPrefix(text, ";") {
			continue // within a continued line too
		}
		if start == 0 {
			start = line.N
		}
		if continues(text) {
			continued.WriteString(text[:len(text)-1])
			continued.WriteByte(' ')
			continue
		}
		continued.WriteString(text)
		if continued.Len() > maxValue {
			return nil, &host.Error{Path: f.At(start), Err: fmt.Errorf("%w: a line of more than %d bytes", host.ErrTooLarge, maxValue)}
		}
		if err := take(strings.Trim(continued.String(), whitespace), start); err != nil {
			return nil, err
		}
		continued.Reset()
		start = 0
	}
	return settings, take(strings.Trim(continued.String(), whitespace), start)
}

// continues is whether a line ends in a backslash that no other one escapes.
func continues(text string) bool {
	return (len(text)-len(strings.TrimRight(text, `\`)))%2 == 1
}
