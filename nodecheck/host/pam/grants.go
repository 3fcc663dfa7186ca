package pam

import "errors"

// ErrTooTangled is what Grants returns where a stack has more ways through it than
// can be followed.
var ErrTooTangled = errors.New("too many ways through the stack")

// Grants is whether the stack can end in success while each module returns one of
// the codes that may gives for it. The rule is the one that lets it: the last that
// ended the stack or skipped rules on the way, else the last that agreed; nil where
// there is no way.
//
// It walks every way as _pam_dispatch does for one: a stack succeeds where a rule
// agreed and none before or behind it objected, "done" and "die" leave the substack
// or the stack, a number skips rules of the same level, and a substack counts as
// one of them.
func (s Stack) Grants(may func(*Rule) []Code) (*Rule, error) {
	w := walk{rules: s.Rules, may: may, seen: map[state]bool{}}
	by, found, err := w.from(state{}, nil)
	if !found {
		return nil, err
	}
	return by, nil
}

// impression is what the rules so far come to.
type impression uint8

const (
	undecided   impression = iota
	agreed                 // with success
	agreedOther            // with another code, which the stack will return
	objected
)

// state is a place on a way and what is known there.
type state struct {
	at    int
	level int // of the rule before
	now   impression
	// entered is what was known where each substack began.
	entered [maxDepth]impression
}

type walk struct {
	rules []Rule
	may   func(*Rule) []Code
	seen  map[state]bool
}

const maxStates = 20000

// from follows the ways from a state, as deep as there are rules.
func (w *walk) from(s state, by *Rule) (*Rule, bool, error) {
	if s.at >= len(w.rules) {
		return by, s.now == agreed, nil
	}
	if w.seen[s] {
		return nil, false, nil
	}
	if len(w.seen) >= maxStates {
		return nil, false, ErrTooTangled
	}
	w.seen[s] = true
	r := &w.rules[s.at]
	if r.level > s.level {
		s.entered[r.level] = s.now
	}
	s.level = r.level
	if r.substack {
		s.at++
		return w.from(s, by)
	}
	type way struct {
		action  action
		success bool
	}
	tried := map[way]bool{}
	for _, code := range w.may(r) {
		v := way{r.Control.actions[code], code == Success}
		if tried[v] {
			continue
		}
		tried[v] = true
		next, turned := w.step(s, r.level, v.action, v.success)
		who := by
		if turned || (who == nil && next.now == agreed) {
			who = r
		}
		if found, granted, err := w.from(next, who); granted || err != nil {
			return found, granted, err
		}
	}
	return nil, false, nil
}

// step is where a state leads by one action, and whether rules were left out.
func (w *walk) step(s state, level int, a action, success bool) (next state, turned bool) {
	switch {
	case a == reset:
		s.now = s.entered[level]
		if level == 0 {
			s.now = undecided
		}
	case a == ok || a == done:
		if s.now == undecided || s.now == agreed {
			s.now = agreedOther
			if success {
				s.now = agreed
			}
		}
		if a == done && (s.now == agreed || s.now == agreedOther) {
			s.at = w.leave(s.at, level)
			return s, s.at < len(w.rules) || level == 0
		}
	case a == bad || a == die:
		s.now = objected
		if a == die {
			s.at = w.leave(s.at, level)
			return s, false
		}
	case a > 0:
		at := s.at
		for ; a > 0 && at+1 < len(w.rules) && w.rules[at+1].level >= level; a-- {
			at++
			for at+1 < len(w.rules) && w.rules[at+1].level > level {
				at++
			}
		}
		if a > 0 { // it skips more than there is
			s.now = objected
		}
		s.at = at + 1
		return s, true
	}
	s.at++
	return s, false
}

// leave is the first rule behind the substack or the stack that a rule is in.
func (w *walk) leave(at, level int) int { return leave(w.rules, at, level) }

func leave(rules []Rule, at, level int) int {
	for at++; at < len(rules) && rules[at].level >= level; at++ {
	}
	return at
}

// Behind is the rules that may still be asked once rule i has returned one of the
// codes: those behind it, without the rest of its substack or of the stack where it
// dies of each.
func (s Stack) Behind(i int, codes ...Code) []Rule {
	for _, code := range codes {
		if s.Rules[i].Control.actions[code] != die {
			return s.Rules[i+1:]
		}
	}
	return s.Rules[leave(s.Rules, i, s.Rules[i].level):]
}
