package syslog

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// facilities are the names of rsyslog's facilities by their numbers.
var facilities = []string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
	"ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

var priorities = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

var otherNames = map[string]string{
	"security": "auth", "panic": "emerg", "error": "err", "warn": "warning",
}

// Messages is a set of messages: for each facility, a bit for each priority, the
// lowest one for emergencies.
type Messages [24]uint8

const everyPriority = 0xff

// All are the messages of every facility and priority.
func All() (m Messages) {
	for f := range m {
		m[f] = everyPriority
	}
	return m
}

// Of are the messages of facilities with a priority or a more severe one.
func Of(priority string, names ...string) (m Messages) {
	for f, name := range facilities {
		if slices.Contains(names, name) {
			m[f] = 2<<slices.Index(priorities, priority) - 1
		}
	}
	return m
}

// And returns what is in both sets.
func (m Messages) And(other Messages) Messages {
	for f := range m {
		m[f] &= other[f]
	}
	return m
}

// Without returns what is in m only.
func (m Messages) Without(other Messages) Messages {
	for f := range m {
		m[f] &^= other[f]
	}
	return m
}

// Or returns what is in one of the sets.
func (m Messages) Or(other Messages) Messages {
	for f := range m {
		m[f] |= other[f]
	}
	return m
}

// String names some of the messages: "auth.info, mail.notice and others".
func (m Messages) String() string {
	const most = 4
	var list []string
	for f, set := range m {
		if set == 0 {
			continue
		}
		if len(list) == most {
			return strings.Join(list, ", ") + " and others"
		}
		// The least severe one stands for the others.
		list = append(list, facilities[f]+"."+priorities[bits.Len8(set)-1])
	}
	return strings.Join(list, ", ")
}

// parseSelector reads "auth,authpriv.*;mail.!=info". Not ok means that rsyslog
// would refuse it.
func parseSelector(text string) (m Messages, ok bool) {
	for part := range strings.SplitSeq(text, ";") {
		if part == "" {
			continue
		}
		dot := strings.LastIndexByte(part, '.')
		if dot < 0 {
			return m, false
		}
		mask, set, ok := parsePriority(part[dot+1:])
		if !ok {
			return m, false
		}
		for name := range strings.SplitSeq(part[:dot], ",") {
			if !m.apply(name, mask, set) {
				return m, false
			}
		}
	}
	return m, true
}

func (m *Messages) apply(facility string, mask uint8, set bool) bool {
	n := number(facilities, facility)
	if facility == "mark" {
		return true // rsyslog's own
	}
	if n < 0 && facility != "*" {
		return false
	}
	for f := range m {
		switch {
		case facility != "*" && f != n:
		case set:
			m[f] |= mask
		default:
			m[f] &^= mask
		}
	}
	return true
}

// parsePriority reads what is after the dot: "info" and above, "=info", "!info",
// "!=info", "*" or "none".
func parsePriority(text string) (mask uint8, set, ok bool) {
	text, negated := strings.CutPrefix(text, "!")
	text, exact := strings.CutPrefix(text, "=")
	switch {
	case strings.EqualFold(text, "none"):
		return everyPriority, false, true
	case text == "*":
		return everyPriority, !negated, true
	}
	p := number(priorities, text)
	switch {
	case p < 0:
		return 0, false, false
	case exact:
		return 1 << p, !negated, true
	}
	return 2<<p - 1, !negated, true
}

func number(names []string, text string) int {
	text = strings.ToLower(strings.TrimSpace(text))
	if other, ok := otherNames[text]; ok {
		text = other
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 0 && n < len(names) {
		return n
	}
	return slices.Index(names, text)
}
