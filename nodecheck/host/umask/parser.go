package umask

import (
	"fmt"
	"path"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// frame is a compound command that is not closed yet.
type frame struct {
	word   string // "if", "case", "loop", "{", "("
	before []Mask // where it begins
	out    []Mask // where its branches so far end
	// always is whether one of the branches is taken whatever is.
	always bool
	// maybe is whether the command itself may be left out: behind && or ||, or as the
	// body of a function.
	maybe bool
	// reads is whether the branch at hand reads the files of profile.d, and wanted the
	// ends of the branches that did. The conditions around that ask whether the files
	// exist, which they do, so that these branches are the ones that run.
	reads  bool
	wanted []Mask
	// fresh is whether no pattern of case came since the last branch ended.
	fresh bool
}

// parser walks the commands of one script.
type parser struct {
	*script
	file   *host.File
	tokens []token
	at     int
	frames []frame
	// loops has the patterns of files that a loop's variable runs over.
	loops map[string][]string
	// maybe is whether the next command may be left out.
	maybe bool
	// certain is whether the last command read profile.d: what stands before its && asks
	// whether the files exist.
	certain bool
	// exits is what the umask may be where the script ends early.
	exits []Mask
	ended bool // by an unconditional exit or return
	// dry is whether commands are only passed over: those of a function's body, which
	// run where it is called.
	dry bool
}

// function is what a name may call.
type function struct {
	bodies []body
	maybe  bool // whether there may be none
}

type body struct {
	file   *host.File
	tokens []token
}

func (p *parser) run() error {
	for p.at < len(p.tokens) && !p.ended {
		if err := p.command(); err != nil {
			return err
		}
	}
	for len(p.frames) > 0 { // an unclosed one: the shell stops with an error
		p.pop(p.frames[len(p.frames)-1].word)
		if err := p.many(0); err != nil {
			return err
		}
	}
	p.masks = union(p.masks, p.exits)
	return nil
}

// command takes one token where a command may begin, or a simple command whole.
func (p *parser) command() error {
	t := p.tokens[p.at]
	if err := p.many(t.line); err != nil {
		return err
	}
	if t.operator {
		p.at++
		p.operator(t.text)
		return nil
	}
	if !t.quoted && !t.expands {
		if is, err := p.reserved(t.text); is || err != nil {
			return err
		}
	}
	return p.simple()
}

// many is an error where there are more masks than can be followed.
func (p *parser) many(line int) error {
	n := max(len(p.masks), len(p.exits))
	if len(p.frames) > 0 {
		f := p.frames[len(p.frames)-1]
		n = max(n, len(f.out), len(f.wanted))
	}
	if n <= maxMasks {
		return nil
	}
	return &host.Error{Path: p.file.At(line), Err: fmt.Errorf("%w: more than %d ways to a umask", host.ErrTooLarge, maxMasks)}
}

// operator handles the operator before p.at.
func (p *parser) operator(text string) {
	switch text {
	case "&&", "||", "|":
		p.maybe = true
		for p.at < len(p.tokens) && p.isOperator(p.at, "\n") {
			p.at++
		}
		return
	case "(":
		p.push("(")
		return
	case ")":
		if p.top() != "case" { // else it is behind a pattern
			p.pop("(")
			return
		}
	case ";;", ";&", ";;&":
		p.branch("case")
		p.pattern()
	}
	p.maybe = false
}

// reserved handles a reserved word; false where the word is none.
func (p *parser) reserved(word string) (bool, error) {
	switch word {
	case "if":
		p.push("if")
	case "!", "time":
	case "then", "do":
		p.maybe = false
	case "elif", "else":
		p.branch("if")
		if f := p.frame("if"); f != nil && word == "else" {
			f.always = true
		}
	case "fi":
		p.pop("if")
	case "while", "until":
		p.push("loop")
	case "for", "select":
		p.push("loop")
		p.loop()
		return true, nil
	case "done":
		p.pop("loop")
	case "case":
		p.push("case")
		p.skipTo("in")
		p.pattern()
		return true, nil
	case "esac":
		p.pop("case")
	case "{":
		p.push("{")
	case "}":
		p.pop("{")
	case "function":
		p.at++
		if p.at < len(p.tokens) {
			p.at++
			return true, p.function(p.tokens[p.at-1].text)
		}
		return true, nil
	default:
		return false, nil
	}
	p.at++
	return true, nil
}

// loop notes what a loop's variable runs over.
func (p *parser) loop() {
	p.at++
	name := ""
	for first := true; p.at < len(p.tokens); p.at++ {
		t := p.tokens[p.at]
		if t.operator && (t.text == ";" || t.text == "\n") || !t.operator && t.text == "do" {
			return
		}
		if first {
			name, first = t.text, false
		}
		if path.IsAbs(t.text) && !strings.Contains(t.text, "$") {
			p.loops[name] = append(p.loops[name], t.text)
			continue
		}
		// What a command finds, such as ls, or run-parts of Debian.
		for field := range strings.FieldsSeq(t.text) {
			field = strings.Trim(field, "$()`")
			if t.expands && path.IsAbs(field) && strings.Contains(field, "*") {
				p.loops[name] = append(p.loops[name], field)
			}
		}
		for _, dir := range profileDirs {
			if t.expands && strings.Contains(t.text, " "+dir) {
				p.loops[name] = append(p.loops[name], path.Join(dir, "*.sh"))
			}
		}
	}
}

// The directories of files for every login shell. The second belongs to
// distributions that keep /etc for the site.
var profileDirs = []string{"/etc/profile.d", "/usr/etc/profile.d"}

// skipTo moves behind a word.
func (p *parser) skipTo(word string) {
	for p.at++; p.at < len(p.tokens); p.at++ {
		if t := p.tokens[p.at]; !t.operator && t.text == word {
			p.at++
			return
		}
	}
}

// pattern moves to the parenthesis that ends a pattern of case, which is no command,
// or to "esac".
func (p *parser) pattern() {
	f := p.frame("case")
	for ; p.at < len(p.tokens); p.at++ {
		t := p.tokens[p.at]
		switch {
		case !t.operator && t.text == "esac":
			if f != nil {
				f.fresh = true
			}
			return
		case t.operator && t.text == ")":
			return
		case !t.operator && t.text == "*" && f != nil:
			f.always = true
		}
	}
}

// simple takes the words of a simple command and does what it does to the umask.
func (p *parser) simple() error {
	var words []token
	line := p.tokens[p.at].line
	for ; p.at < len(p.tokens); p.at++ {
		t := p.tokens[p.at]
		if !t.operator {
			words = append(words, t)
			continue
		}
		if strings.ContainsAny(t.text, "<>") {
			p.at++ // what it is redirected to
			continue
		}
		break
	}
	if len(words) == 1 && p.at+1 < len(p.tokens) && p.isOperator(p.at, "(") && p.isOperator(p.at+1, ")") {
		return p.function(words[0].text)
	}
	before := p.masks
	p.certain = false
	words, err := p.strip(words)
	if err == nil {
		err = p.effect(words, p.file.At(line))
	}
	// Before && stands a command that runs, behind it one that may not; a pipeline's
	// run in shells of their own.
	if p.maybe && !p.certain || p.at < len(p.tokens) && (p.isOperator(p.at, "|") || p.isOperator(p.at, "&")) {
		p.masks = union(before, p.masks)
	}
	return err
}

func (p *parser) isOperator(at int, text string) bool {
	return p.tokens[at].operator && p.tokens[at].text == text
}
