package umask

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// token is a word or an operator of a shell script.
type token struct {
	text string // quotes taken off, expansions as written
	line int
	// operator tells ";" from a quoted one.
	operator bool
	// expands is whether the shell would put something else in its place.
	expands bool
	// quoted is whether any part was: a quoted reserved word is none.
	quoted bool
}

// lexer takes a script apart as far as its commands can be told: see the shell
// command language of POSIX, 2.3.
type lexer struct {
	text string
	at   int
	line int
	// documents are the delimiters of here-documents that begin at the next line.
	documents []document
	tokens    []token
}

type document struct {
	delimiter string
	tabs      bool // "<<-": the delimiter may be indented
}

var errUnclosed = errors.New("a quote or an expansion that nothing closes")

// tokenize returns the tokens of a script.
func tokenize(text string) ([]token, error) {
	l := lexer{text: text, line: 1}
	for l.at < len(l.text) {
		if err := l.next(); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", host.ErrMalformed, l.line, err)
		}
	}
	return l.tokens, nil
}

const operators = ";&|()<>\n"

func (l *lexer) next() error {
	rest := l.text[l.at:]
	switch c := rest[0]; {
	case c == '\n':
		l.operator("\n")
		l.line++
		l.skipDocuments()
	case strings.HasPrefix(rest, "\\\n"):
		l.at += 2
		l.line++
	case c == ' ' || c == '\t': // a carriage return is part of a word
		l.at++
	case c == '#':
		l.at += len(firstLine(rest))
	case strings.HasPrefix(rest, "((") && arithmetic(rest) > 0:
		l.skip(arithmetic(rest)) // "<<" is no here-document in it
	case strings.HasPrefix(rest, "<<") && !strings.HasPrefix(rest, "<<<"):
		return l.heredoc()
	case strings.IndexByte(operators, c) >= 0:
		for _, op := range []string{";;&", ";;", ";&", "&&", "||", "<<<", ">>", "<&", ">&", "<>", ">|", "&>"} {
			if strings.HasPrefix(rest, op) {
				l.operator(op)
				return nil
			}
		}
		l.operator(string(c))
	default:
		t, err := l.word()
		l.tokens = append(l.tokens, t)
		return err
	}
	return nil
}

// arithmetic is the length of "((…))" at the start of text, 0 where it is none.
func arithmetic(text string) int {
	n, err := span(text, 0)
	if err != nil || !strings.HasSuffix(text[:n], "))") {
		return 0
	}
	return n
}

// skip passes over a command that changes nothing; a word stands for it.
func (l *lexer) skip(n int) {
	l.tokens = append(l.tokens, token{text: "((", line: l.line, quoted: true})
	l.line += strings.Count(l.text[l.at:l.at+n], "\n")
	l.at += n
}

func (l *lexer) operator(text string) {
	l.tokens = append(l.tokens, token{text: text, line: l.line, operator: true})
	l.at += len(text)
}

// heredoc notes the delimiter; what it delimits begins at the next line.
func (l *lexer) heredoc() error {
	l.operator("<<")
	d := document{tabs: strings.HasPrefix(l.text[l.at:], "-")}
	if d.tabs {
		l.at++
	}
	for strings.HasPrefix(l.text[l.at:], " ") || strings.HasPrefix(l.text[l.at:], "\t") {
		l.at++
	}
	t, err := l.word()
	d.delimiter = t.text
	l.documents = append(l.documents, d)
	l.tokens = append(l.tokens, t)
	return err
}

func (l *lexer) skipDocuments() {
	for _, d := range l.documents {
		for l.at < len(l.text) {
			line := firstLine(l.text[l.at:])
			l.at = min(l.at+len(line)+1, len(l.text))
			l.line++
			if d.tabs {
				line = strings.TrimLeft(line, "\t")
			}
			if line == d.delimiter {
				break
			}
		}
	}
	l.documents = nil
}

// word reads up to the next blank or operator that is not quoted.
func (l *lexer) word() (token, error) {
	t := token{line: l.line}
	var b strings.Builder
	for l.at < len(l.text) {
		c := l.text[l.at]
		switch {
		case c == '\\':
			if l.at+1 < len(l.text) {
				if l.text[l.at+1] == '\n' {
					l.line++
				} else {
					b.WriteByte(l.text[l.at+1])
				}
			}
			t.quoted = true
			l.at = min(l.at+2, len(l.text))
		case c == '\'':
			end := strings.IndexByte(l.text[l.at+1:], '\'')
			if end < 0 {
				return t, errUnclosed
			}
			t.quoted = true
			l.take(&b, l.text[l.at+1:l.at+1+end], 2)
		case strings.HasPrefix(l.text[l.at:], "$'"):
			n, err := ansi(l.text[l.at:])
			if err != nil {
				return t, err
			}
			t.quoted = true
			l.take(&b, l.text[l.at+2:l.at+n-1], 3)
		case c == '"' || c == '`' || c == '$':
			n, err := span(l.text[l.at:], 0)
			if err != nil {
				return t, err
			}
			part := l.text[l.at : l.at+n]
			if c == '"' {
				t.quoted = true
				t.expands = t.expands || strings.ContainsAny(part, "$`")
				l.take(&b, part[1:n-1], 2)
				continue
			}
			t.expands = t.expands || n > 1 || l.at+1 < len(l.text) && isName(l.text[l.at+1:l.at+2])
			l.take(&b, part, 0)
		case c == '(' && !t.quoted && array(b.String()):
			n, err := span(l.text[l.at:], 0)
			if err != nil {
				return t, err
			}
			t.expands = true
			l.take(&b, l.text[l.at:l.at+n], 0)
		case c == ' ' || c == '\t' || strings.IndexByte(operators, c) >= 0:
			t.text = b.String()
			return t, nil
		default:
			t.expands = t.expands || c == '*' || c == '?'
			b.WriteByte(c)
			l.at++
		}
	}
	t.text = b.String()
	return t, nil
}

// array is whether the values of an array of bash follow a word: NAME=( or NAME+=(.
// To dash it is a mistake.
func array(word string) bool {
	name, ok := strings.CutSuffix(word, "=")
	return ok && isName(strings.TrimSuffix(name, "+"))
}

// ansi is the length of the string "$'…'" at the start of text, in which a backslash
// takes its meaning from a quote. dash has no such strings.
func ansi(text string) (int, error) {
	const begin = 2
	for i := begin; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '\'':
			return i + 1, nil
		}
	}
	return 0, errUnclosed
}

// take adds a part of a word, which stands there with extra bytes of quotes.
func (l *lexer) take(b *strings.Builder, part string, extra int) {
	b.WriteString(part)
	l.line += strings.Count(part, "\n")
	l.at += len(part) + extra
}

// maxNesting bounds quotes in expansions in quotes.
const maxNesting = 50

// span is the length of the quoted string or the expansion at the start of text.
func span(text string, depth int) (int, error) {
	if depth > maxNesting {
		return 0, errUnclosed
	}
	begin, end := 1, byte(0)
	switch {
	case text[0] == '"' || text[0] == '`' || text[0] == '\'':
		end = text[0]
	case strings.HasPrefix(text, "$("):
		begin, end = 2, ')'
	case strings.HasPrefix(text, "${"):
		begin, end = 2, '}'
	case text[0] == '(':
		end = ')'
	default:
		return 1, nil // a variable's dollar
	}
	for i := begin; i < len(text); {
		c := text[i]
		switch {
		case c == end:
			return i + 1, nil
		case end == '\'':
			i++
		case c == '\\':
			i += 2
		case nests(text[i:], end):
			n, err := span(text[i:], depth+1)
			if err != nil {
				return 0, err
			}
			i += n
		default:
			i++
		}
	}
	return 0, errUnclosed
}

// nests is whether something begins in a string or an expansion that may hide the
// byte that ends it.
func nests(text string, end byte) bool {
	switch text[0] {
	case '$', '`':
		return end != '`'
	case '"':
		return end == ')' || end == '}'
	case '\'', '(':
		return end == ')'
	}
	return false
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
