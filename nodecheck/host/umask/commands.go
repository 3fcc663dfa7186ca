package umask

import (
	"path"
	"strings"
)

// strip takes assignments and the words that only lead to the command off.
func (p *parser) strip(words []token) ([]token, error) {
	for len(words) > 0 {
		assigns, err := p.assign(words[0])
		if err != nil {
			return nil, err
		}
		if !assigns && words[0].text != "command" && words[0].text != "builtin" {
			break
		}
		words = words[1:]
	}
	return words, nil
}

func isName(text string) bool {
	return text != "" && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789") == ""
}

// effect is what a command does to the umask.
func (p *parser) effect(words []token, where string) error {
	if len(words) == 0 || p.dry {
		return nil
	}
	args := words[1:]
	switch words[0].text {
	case "umask":
		for len(args) > 0 && (args[0].text == "-S" || args[0].text == "-p" || args[0].text == "--") {
			args = args[1:]
		}
		if len(args) == 0 {
			return nil // it prints the umask
		}
		p.set(args[0].text, where, args[0].expands)
	case "eval":
		for _, a := range args {
			if strings.Contains(a.text, "umask") || p.holds(a) {
				p.set(a.text, where, true)
				return nil
			}
		}
	case "alias", "trap": // what they are given may run later
		for _, a := range args {
			if strings.Contains(a.text, "umask") {
				p.perhaps(a.text, where)
				return nil
			}
		}
	case "export", "readonly", "declare", "typeset", "local":
		for _, a := range args {
			if _, err := p.assign(a); err != nil {
				return err
			}
		}
	case ".", "source":
		if len(args) > 0 {
			return p.source(args[0])
		}
	case "exit", "return":
		p.exit()
	default:
		if p.holds(words[0]) {
			p.perhaps(words[0].text, where)
			return nil
		}
		return p.call(words[0].text, where)
	}
	return nil
}

// exit ends the script or the function's body, perhaps, or a shell of its own.
func (p *parser) exit() {
	for _, f := range p.frames {
		if f.word == "(" {
			return
		}
	}
	if len(p.frames) == 0 && !p.maybe {
		p.ended = true
		return
	}
	p.exits = union(p.exits, p.masks)
}

// source follows a file that the script reads: one that it names, or those that the
// variable of a loop runs over.
func (p *parser) source(t token) error {
	if path.IsAbs(t.text) && !t.expands {
		return p.script.run(t.text)
	}
	name := strings.Trim(t.text, "${}")
	patterns := p.loops[name]
	if len(patterns) == 0 {
		return p.either(t)
	}
	// A file that another reads, such as bashrc from profile, may do so for other
	// shells only.
	p.certain = len(p.open) == 1
	for i := range p.frames {
		p.frames[i].reads = p.frames[i].reads || p.certain
	}
	for _, pattern := range patterns {
		if err := p.each(pattern); err != nil {
			return err
		}
	}
	return nil
}
