package umask

import (
	"fmt"
	"slices"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// function passes over the definition of a function, from behind its name.
func (p *parser) function(name string) error {
	if p.deep++; p.deep > maxDeep {
		return &host.Error{Path: p.file.Path, Err: fmt.Errorf("%w: functions within %d others", host.ErrTooLarge, maxDeep)}
	}
	defer func() { p.deep-- }()
	for p.at < len(p.tokens) && (p.isOperator(p.at, "(") || p.isOperator(p.at, ")") || p.isOperator(p.at, "\n")) {
		p.at++
	}
	// A body may be a shell of its own, whose parenthesis is passed over above: what it
	// does to the umask is then taken for what the function does, which is no less.
	start, open := p.at, len(p.frames)
	masks, dry, maybe := p.masks, p.dry, p.maybe
	p.dry, p.maybe = true, false
	for p.at < len(p.tokens) {
		if err := p.command(); err != nil {
			return err
		}
		if len(p.frames) <= open {
			break
		}
	}
	p.frames = p.frames[:min(open, len(p.frames))]
	p.masks, p.dry, p.maybe = masks, dry, false
	if dry {
		return nil
	}
	f := p.functions[name]
	b := body{p.file, p.tokens[start:p.at]}
	for _, open := range p.frames {
		maybe = maybe || open.maybe || open.word != "{"
	}
	if maybe {
		p.functions[name] = function{bodies: append(slices.Clip(f.bodies), b), maybe: f.maybe || len(f.bodies) == 0}
	} else {
		p.functions[name] = function{bodies: []body{b}}
	}
	return nil
}

// call follows the bodies that a function may have.
func (p *parser) call(name, where string) error {
	f, ok := p.functions[name]
	if !ok {
		return nil
	}
	if p.calls++; p.calls > maxCalls || p.deep >= maxDeep {
		return &host.Error{Path: where, Err: fmt.Errorf("%w: functions call each other", host.ErrLoop)}
	}
	p.deep++
	defer func() { p.deep-- }()
	before := p.masks
	var after []Mask
	for _, b := range f.bodies {
		p.masks = before
		q := parser{script: p.script, file: b.file, tokens: b.tokens, loops: p.loops}
		if err := q.run(); err != nil {
			return err
		}
		after = union(after, p.masks)
	}
	if f.maybe {
		after = union(after, before)
	}
	p.masks = after
	return nil
}
