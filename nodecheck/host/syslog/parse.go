package syslog

import (
	"fmt"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// parser goes through the text of one file.
type parser struct {
	*state
	f     *host.File
	depth int
	text  string
	pos   int
	line  int // of pos
}

func newParser(s *state, f *host.File, depth int) *parser {
	return &parser{state: s, f: f, depth: depth, text: string(f.Data), line: 1}
}

func (p *parser) where() string { return p.f.At(p.line) }

// skip goes on by n bytes.
func (p *parser) skip(n int) {
	p.line += strings.Count(p.text[p.pos:p.pos+n], "\n")
	p.pos += n
}

func (p *parser) rest() string { return p.text[p.pos:] }

func (p *parser) has(prefix string) bool { return strings.HasPrefix(p.rest(), prefix) }

const blanks = " \t\r"

// spaces skips blanks, ends of lines and comments.
func (p *parser) spaces() {
	for p.pos < len(p.text) {
		switch {
		case strings.IndexByte(blanks+"\n", p.text[p.pos]) >= 0:
			p.skip(1)
		case p.has("#"):
			p.skip(end(p.rest(), "\n"))
		case p.has("/*"):
			if i := strings.Index(p.rest(), "*/"); i >= 0 {
				p.skip(i + 2)
			} else {
				p.skip(len(p.rest()))
			}
		default:
			return
		}
	}
}

// end is where a text ends before any of the characters.
func end(text, chars string) int {
	if i := strings.IndexAny(text, chars); i >= 0 {
		return i
	}
	return len(text)
}

// logical takes the rest of a line, with the lines that it continues on.
func (p *parser) logical() string {
	var b strings.Builder
	for {
		n := end(p.rest(), "\n")
		line := strings.TrimRight(p.rest()[:n], blanks)
		p.skip(n)
		cut, continued := strings.CutSuffix(line, `\`)
		b.WriteString(cut)
		if !continued || p.pos == len(p.text) {
			return strings.Trim(b.String(), blanks)
		}
		p.skip(1)
		p.skip(len(p.rest()) - len(strings.TrimLeft(p.rest(), blanks)))
	}
}

// word takes a name.
func (p *parser) word() string {
	n := 0
	for rest := p.rest(); n < len(rest) && nameByte(rest[n]); n++ {
	}
	w := p.rest()[:n]
	p.skip(n)
	return w
}

func nameByte(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// maxBlocks bounds blocks within blocks.
const maxBlocks = 32

// statements goes on to the end of the file or of a block.
func (p *parser) statements(f filter, blocks int) error {
	last := f // what "&" repeats
	for {
		p.spaces()
		if p.pos == len(p.text) {
			return nil
		}
		if p.has("}") {
			p.skip(1)
			if blocks > 0 {
				return nil
			}
			continue
		}
		next, err := p.statement(f, last, blocks)
		if err != nil {
			return err
		}
		last = next
	}
}

// statement takes one statement and returns the filter that it had.
func (p *parser) statement(f, last filter, blocks int) (filter, error) {
	where := p.where()
	switch c := p.text[p.pos]; {
	case c == '$':
		return last, p.directive()
	case c == '&':
		p.skip(1)
		return last, p.action(last, where, blocks)
	case strings.IndexByte("@?|^/", c) >= 0, p.has("-/"), p.has("-?"), p.has(":om"):
		return last, p.action(f, where, blocks)
	case c == ':':
		own := p.property(f)
		return own, p.action(own, where, blocks)
	case c == '!' || c == '+' || c == '-':
		// "!*" and "+*" end such a block.
		if p.apart = !strings.HasPrefix(p.logical()[1:], "*"); p.apart {
			p.doubt(where, "rules for one program or host are not evaluated")
		}
		return last, nil
	case c == '{':
		return last, p.block(f, blocks)
	case c == '~':
		p.skip(1)
		p.discard(f, where)
		return last, nil
	}
	start, line := p.pos, p.line
	name := strings.ToLower(p.word())
	if known, err := p.keyword(name, where, f, blocks); known || err != nil {
		return last, err
	}
	p.pos, p.line = start, line
	text := p.selector()
	messages, ok := parseSelector(text)
	if !ok {
		p.note(where, "a line that is not understood")
		p.logical()
		return last, nil
	}
	own := filter{messages: f.messages.And(messages), partly: f.partly, narrow: f.narrow}
	return own, p.action(own, where, blocks)
}

// selector takes the text up to a blank; a line may end within it after a backslash.
func (p *parser) selector() string {
	var b strings.Builder
	for p.pos < len(p.text) {
		n := end(p.rest(), blanks+"\n\\{")
		b.WriteString(p.rest()[:n])
		p.skip(n)
		if !p.has("\\\n") && !p.has("\\\r\n") {
			break
		}
		p.skip(end(p.rest(), "\n") + 1)
		p.skip(len(p.rest()) - len(strings.TrimLeft(p.rest(), blanks)))
	}
	return b.String()
}

// property takes ":name, operation, "text"" and returns its filter.
func (p *parser) property(f filter) filter {
	p.skip(1)
	f.partly = true
	i := strings.IndexAny(p.rest(), "\"\n")
	if i < 0 || p.rest()[i] == '\n' {
		p.note(p.where(), "a filter that is not understood")
		return f
	}
	operation := p.rest()[:i]
	p.skip(i)
	const enough = 4 // letters, so that few messages have them
	f.narrow = len(p.quoted()) >= enough && !strings.Contains(operation, "!") && !strings.Contains(operation, "regex")
	return f
}

// quoted takes a quoted text.
func (p *parser) quoted() string {
	quote := p.text[p.pos]
	p.skip(1)
	for n := 0; ; n++ {
		rest := p.rest()
		if n >= len(rest) {
			p.skip(len(rest))
			return rest
		}
		if rest[n] == '\\' {
			n++
			continue
		}
		if rest[n] == quote {
			p.skip(n + 1)
			return rest[:n]
		}
	}
}

// block takes statements in braces.
func (p *parser) block(f filter, blocks int) error {
	if err := p.deeper(blocks); err != nil {
		return err
	}
	p.skip(1)
	return p.statements(f, blocks+1)
}

func (p *parser) deeper(blocks int) error {
	if blocks >= maxBlocks {
		return &host.Error{Path: p.where(), Err: fmt.Errorf("%w: more than %d blocks within each other", host.ErrTooLarge, maxBlocks)}
	}
	return nil
}

// directive takes a line of the old form that begins with a dollar.
func (p *parser) directive() error {
	where := p.where()
	name, value, _ := strings.Cut(strings.ReplaceAll(p.logical(), "\t", " "), " ")
	value, _, _ = strings.Cut(strings.TrimSpace(value), " #")
	value = strings.TrimSpace(value)
	switch strings.ToLower(name) {
	case "$includeconfig":
		return p.include(strings.Trim(value, `"`), where, p.depth, false)
	case "$modload":
		p.input(strings.TrimSuffix(value, ".so"), where)
	case "$ruleset":
		p.apart = !strings.EqualFold(value, "RSYSLOG_DefaultRuleset")
	case "$omitlocallogging":
		if strings.EqualFold(value, "on") {
			delete(p.r.Inputs, "imuxsock")
		}
	case "$actionexeconlywhenpreviousissuspended", "$actionexeconlyeverynthtime", "$actionexeconlyonceeveryinterval":
		if !strings.EqualFold(value, "off") {
			p.doubt(where, "actions that do not run each time")
		}
	case "$defaultruleset":
		p.doubt(where, "another rule set takes the messages")
	}
	return nil
}

func (p *parser) input(module, where string) {
	if module == "imuxsock" || module == "imjournal" {
		p.r.Inputs[module] = where
	}
}
