package pam

import (
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// logical is a line with those that continue it, without its comment.
type logical struct {
	text string
	n    int // where it begins
}

// logicalLines joins lines that end with a backslash and takes comments off, which
// may begin anywhere.
func logicalLines(f *host.File) (list []logical) {
	var text strings.Builder
	start := 0
	for line := range f.Lines() {
		if start == 0 {
			start = line.N
		}
		part, _, comment := strings.Cut(line.Text, "#")
		part = strings.TrimSpace(part)
		part, continued := strings.CutSuffix(part, `\`)
		text.WriteString(part)
		if continued && !comment {
			text.WriteByte(' ')
			continue
		}
		if joined := strings.TrimSpace(text.String()); joined != "" {
			list = append(list, logical{joined, start})
		}
		text.Reset()
		start = 0
	}
	if joined := strings.TrimSpace(text.String()); joined != "" {
		list = append(list, logical{joined, start})
	}
	return list
}

// word takes the first word off a line. The control field alone keeps its brackets;
// those of an argument are taken off by unbracket.
func word(text string) (first, rest string) {
	text = strings.TrimLeft(text, " \t")
	end := strings.IndexAny(text, " \t")
	if strings.HasPrefix(text, "[") {
		end = closing(text)
	}
	if end < 0 {
		return text, ""
	}
	return text[:end], text[end:]
}

// closing is the index behind the bracket that ends text's first word, -1 where it
// ends with the line. A bracket behind a backslash does not end it.
func closing(text string) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && text[i+1] == ']':
			i++
		case text[i] == ']':
			return i + 1
		}
	}
	return -1
}

// arguments splits what follows the module.
func arguments(text string) (list []string) {
	for {
		var arg string
		if arg, text = word(text); arg == "" {
			return list
		}
		if inner, bracketed := strings.CutPrefix(arg, "["); bracketed {
			arg = strings.ReplaceAll(strings.TrimSuffix(inner, "]"), `\]`, "]")
		}
		list = append(list, arg)
	}
}
