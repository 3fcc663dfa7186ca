package syslog

import (
	"path"
	"slices"
	"strings"
)

// keyword takes a statement of RainerScript; known is false where a name is none,
// and nothing is taken then but the name.
func (p *parser) keyword(name, where string, f filter, blocks int) (known bool, err error) {
	switch name {
	case "stop":
		p.discard(f, where)
		return true, nil
	case "continue":
		return true, nil
	case "call", "call_indirect":
		p.doubt(where, "it calls a rule set")
		p.logical()
		return true, nil
	case "set", "unset", "reset":
		p.assignment()
		return true, nil
	case "if":
		return true, p.condition(where, f, blocks)
	case "else":
		f.partly, f.narrow = true, false
		return true, p.nested(f, blocks)
	case "foreach":
		p.until("do")
		f.partly, f.narrow = true, false
		return true, p.nested(f, blocks)
	}
	p.skip(len(p.rest()) - len(strings.TrimLeft(p.rest(), blanks)))
	if !p.has("(") || name == "" {
		return false, nil
	}
	return true, p.object(name, p.parameters(), where, f, blocks)
}

// condition takes "if … then" with what depends on it.
func (p *parser) condition(where string, f filter, blocks int) error {
	p.until("then")
	if !p.apart {
		p.note(where, "a condition is not evaluated")
	}
	f.partly, f.narrow = true, false
	return p.nested(f, blocks)
}

// nested takes what is done on a condition, as a block is.
func (p *parser) nested(f filter, blocks int) error {
	if err := p.deeper(blocks); err != nil {
		return err
	}
	p.spaces()
	return p.action(f, p.where(), blocks+1)
}

// assignment skips to the semicolon that ends it.
func (p *parser) assignment() {
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case '"', '\'':
			p.quoted()
		case ';':
			p.skip(1)
			return
		default:
			p.skip(1)
		}
	}
}

// until skips to the word that ends a condition.
func (p *parser) until(word string) {
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; {
		case c == '"' || c == '\'':
			p.quoted()
		case nameByte(c):
			if p.word() == word {
				return
			}
		default:
			p.skip(1)
		}
	}
}

// parameters takes name="value" pairs in parentheses. Names are in lower case.
func (p *parser) parameters() map[string]string {
	values := map[string]string{}
	p.skip(1)
	for {
		p.spaces()
		if p.pos == len(p.text) {
			return values
		}
		if p.has(")") {
			p.skip(1)
			return values
		}
		n := end(p.rest(), "=)\"'\n")
		name := strings.ToLower(strings.Trim(p.rest()[:n], blanks+","))
		p.skip(n)
		if p.has("=") {
			p.skip(1)
			p.spaces()
		}
		switch {
		case p.has(`"`), p.has("'"):
			values[name] = p.quoted()
		case p.has("["):
			p.skip(end(p.rest(), "]"))
			if p.has("]") {
				p.skip(1)
			}
			values[name] = "[]"
		case p.has(")"), p.has("\n"):
		default:
			n := max(1, end(p.rest(), blanks+"\n)"))
			n = min(n, len(p.rest()))
			values[name] = p.rest()[:n]
			p.skip(n)
		}
	}
}

// object takes what follows a name and its parameters.
func (p *parser) object(name string, values map[string]string, where string, f filter, blocks int) error {
	switch name {
	case "module":
		if !strings.EqualFold(values["syssock.use"], "off") {
			p.input(values["load"], where)
		}
	case "include":
		if values["file"] == "" {
			p.doubt(where, "it includes a text")
			return nil
		}
		return p.include(values["file"], where, p.depth, values["mode"] == "optional")
	case "action":
		target, text := actionTarget(values)
		if target == "" {
			p.note(where, "an action of type "+values["type"])
			return nil
		}
		for key, value := range values {
			if strings.HasPrefix(key, "action.execonly") && !strings.EqualFold(value, "off") {
				p.note(where, "an action that does not run each time")
				f.partly = true
				break
			}
		}
		return p.act(f, where, target, text)
	case "ruleset", "template":
		p.spaces()
		if p.has("{") {
			before := p.apart
			p.apart = true
			err := p.block(f, blocks)
			p.apart = before
			return err
		}
	}
	return nil
}

func actionTarget(values map[string]string) (Target, string) {
	switch values["type"] {
	case "omfile":
		if values["file"] == "" && values["dynafile"] != "" {
			return File, "files named by the template " + values["dynafile"]
		}
		return fileTarget(values["file"])
	case "omfwd":
		if values["target"] != "" {
			return Server, "the server " + values["target"]
		}
	case "omrelp":
		return Server, "the server " + values["target"]
	case "omusrmsg":
		return Users, "users"
	case "omjournal", "omstdout", "omnull":
		return Nobody, values["type"]
	}
	return "", ""
}

// fileTarget tells files that stay from those that do not.
func fileTarget(name string) (Target, string) {
	if !path.IsAbs(name) {
		return "", ""
	}
	if !lasting(name) {
		return Nobody, name
	}
	return File, name
}

// lasting is whether what is at a path outlives a restart of the node.
func lasting(name string) bool {
	name = path.Clean(name)
	return !slices.ContainsFunc([]string{"/dev", "/run", "/var/run", "/tmp", "/proc"}, func(dir string) bool {
		return strings.HasPrefix(name, dir+"/")
	})
}

// action takes what is done with what a filter lets through, where is the place of
// the filter.
func (p *parser) action(f filter, where string, blocks int) error {
	p.spaces()
	if p.pos == len(p.text) {
		return nil
	}
	switch c := p.text[p.pos]; {
	case c == '{':
		return p.block(f, blocks)
	case c == '~':
		p.skip(1)
		p.discard(f, where)
		return nil
	case 'a' <= c && c <= 'z':
		start, line := p.pos, p.line
		if known, err := p.keyword(strings.ToLower(p.word()), where, f, blocks); known || err != nil {
			return err
		}
		p.pos, p.line = start, line
	}
	target, text := legacyTarget(p.logical())
	if target == "" {
		p.note(where, "an action that is not understood")
		return nil
	}
	return p.act(f, where, target, text)
}

// legacyTarget reads an action of the old form, see rsyslog.conf(5). The words of
// the ones for databases hold passwords and are not returned.
func legacyTarget(text string) (Target, string) {
	text, _, _ = strings.Cut(text, ";") // a template
	text = strings.Trim(text, blanks)
	switch {
	case text == "":
		return "", ""
	case text[0] == '/':
		return fileTarget(text)
	case text[0] == '-':
		return fileTarget(strings.TrimLeft(text[1:], blanks))
	case text[0] == '?' || strings.HasPrefix(text, "-?"):
		return File, "files named by the template " + strings.TrimLeft(text, "-?")
	case text[0] == '@':
		return Server, "the server " + strings.TrimLeft(text, "@")
	case strings.HasPrefix(text, ":omusrmsg:"):
		return Users, "users"
	case strings.HasPrefix(text, ":omfile:"):
		return fileTarget(strings.TrimPrefix(strings.TrimPrefix(text, ":omfile:"), "$"))
	case text[0] == '|' || text[0] == '^':
		return "", ""
	case text == "*" || strings.Trim(strings.ToLower(text), "abcdefghijklmnopqrstuvwxyz0123456789_-,. ") == "":
		return Users, "users"
	}
	return "", ""
}
