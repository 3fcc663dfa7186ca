package umask

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// maxValues bounds what one variable may hold.
const maxValues = 50

// assign notes what a word such as NAME=value puts into a variable, if it is one:
// the paths, which may be read, and what sets a umask, which may be run.
func (p *parser) assign(t token) (bool, error) {
	name, value, ok := strings.Cut(t.text, "=")
	name = strings.TrimSuffix(name, "+")
	if !ok || !isName(name) {
		return false, nil
	}
	array := strings.HasPrefix(value, "(") && strings.Contains(value, "umask")
	if p.dry || t.expands && !array || !path.IsAbs(value) && !strings.Contains(value, "umask") || slices.Contains(p.values[name], value) {
		return true, nil
	}
	if len(p.values[name]) >= maxValues {
		return true, &host.Error{Path: p.file.At(t.line), Err: fmt.Errorf("%w: a variable has more than %d values", host.ErrTooLarge, maxValues)}
	}
	p.values[name] = append(p.values[name], value)
	if name == "ENV" && path.IsAbs(value) { // a sh reads that file in the end
		return true, p.either(token{text: "$ENV"})
	}
	return true, nil
}

// expand returns what a word with one variable in it may stand for.
func (p *parser) expand(t token) (list []string) {
	before, after, ok := strings.Cut(t.text, "$")
	if !ok {
		return nil
	}
	name, rest := after, ""
	if inner, braces := strings.CutPrefix(after, "{"); braces {
		name, rest, _ = strings.Cut(inner, "}")
		if i := strings.IndexAny(name, "[:%#/-+=?^,"); i >= 0 { // what is done with the value
			name = name[:i]
		}
	} else if i := strings.IndexFunc(after, func(r rune) bool { return !isName(string(r)) }); i >= 0 {
		name, rest = after[:i], after[i:]
	}
	for _, value := range p.values[name] {
		list = append(list, before+value+rest)
	}
	return list
}

// holds is whether a word may stand for a command that sets a umask.
func (p *parser) holds(t token) bool {
	return slices.ContainsFunc(p.expand(t), func(text string) bool { return strings.Contains(text, "umask") })
}

// perhaps is what a command does that may set a umask, nobody knows which.
func (p *parser) perhaps(text, where string) {
	before := p.masks
	p.set(text, where, true)
	p.masks = union(before, p.masks)
}

// either follows the files that a variable may name.
func (p *parser) either(t token) error {
	before := p.masks
	after := before
	for _, name := range p.expand(t) {
		if !path.IsAbs(name) || strings.Contains(name, "$") {
			continue
		}
		p.masks = before
		if err := p.script.run(name); err != nil {
			return err
		}
		after = union(after, p.masks)
	}
	p.masks = after
	return nil
}
