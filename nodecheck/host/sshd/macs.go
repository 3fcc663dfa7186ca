package sshd

import (
	"slices"
	"strings"
)

// The MAC algorithms that OpenSSH has had since 6.2, and the default of the
// server since 6.7.
var (
	allMACs = []string{
		"hmac-sha1", "hmac-sha1-96", "hmac-sha2-256", "hmac-sha2-512", "hmac-md5", "hmac-md5-96",
		"hmac-ripemd160", "hmac-ripemd160@openssh.com", "umac-64@openssh.com", "umac-128@openssh.com",
		"hmac-sha1-etm@openssh.com", "hmac-sha1-96-etm@openssh.com", "hmac-sha2-256-etm@openssh.com",
		"hmac-sha2-512-etm@openssh.com", "hmac-md5-etm@openssh.com", "hmac-md5-96-etm@openssh.com",
		"hmac-ripemd160-etm@openssh.com", "umac-64-etm@openssh.com", "umac-128-etm@openssh.com",
	}
	defaultMACs = []string{
		"umac-64-etm@openssh.com", "umac-128-etm@openssh.com", "hmac-sha2-256-etm@openssh.com",
		"hmac-sha2-512-etm@openssh.com", "hmac-sha1-etm@openssh.com", "umac-64@openssh.com",
		"umac-128@openssh.com", "hmac-sha2-256", "hmac-sha2-512", "hmac-sha1",
	}
)

// supportedMACs are those that a version knows; it refuses others. Those of an
// unknown version are all.
func supportedMACs(v Version) []string {
	if !v.Known() || v.Before(7, 6) {
		return allMACs
	}
	return macsSince76
}

// presetMACs are what "+", "-" and "^" start from. For an unknown version it is
// the widest list of all, so that what such a value leaves is never too little.
func presetMACs(v Version) []string {
	if v.Known() && !v.Before(6, 7) {
		return defaultMACs
	}
	list := slices.Clone(defaultMACs)
	for _, m := range allMACs {
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list
}

// signs are those that a value may begin with, and the first version that takes each.
var signs = map[byte]Version{'+': {7, 0}, '-': {7, 5}, '^': {8, 1}}

// validMACs is mac_valid with the sign that kex_assemble_names takes: names up to
// the first empty one. What "-" removes may be patterns and is not looked at.
func validMACs(text string, v Version) bool {
	if since, ok := signs[text[0]]; ok && !v.Before(since.Major, since.Minor) {
		if text[0] == '-' {
			return true
		}
		text = text[1:]
	}
	if text == "" {
		return false
	}
	for name := range strings.SplitSeq(text, ",") {
		if name == "" {
			return true
		}
		if !slices.Contains(supportedMACs(v), name) {
			return false
		}
	}
	return true
}

// assemble resolves a value of MACs against the default of a version. ok is false
// where the server gives up over it.
func assemble(text string, v Version) (list []string, ok bool) {
	preset := presetMACs(v)
	var names []string
	switch {
	case text == "":
		return preset, true
	case text[0] == '-':
		for _, m := range preset {
			if matchList(m, text[1:]) != matched {
				list = append(list, m)
			}
		}
		if len(list) == 0 { // as if nothing had been set
			return preset, true
		}
		return list, true
	case text[0] == '+':
		names = append(slices.Clone(preset), strings.Split(text[1:], ",")...)
	case text[0] == '^':
		names = append(strings.Split(text[1:], ","), preset...)
	default:
		names = strings.Split(text, ",")
	}
	for _, name := range names {
		if strings.HasPrefix(name, "!") {
			return nil, false
		}
		for _, m := range supportedMACs(v) {
			if name != "" && matchPattern(m, name) && !slices.Contains(list, m) {
				list = append(list, m)
			}
		}
	}
	return list, len(list) > 0
}

// OpenSSH 7.6 dropped RIPEMD-160.
var macsSince76 = slices.DeleteFunc(slices.Clone(allMACs), func(m string) bool { return strings.Contains(m, "ripemd160") })

type matching int

const (
	unmatched matching = iota
	matched
	negated
)

// matchList matches a pattern list, in which "!" takes away.
func matchList(text, patterns string) matching {
	result := unmatched
	for p := range strings.SplitSeq(patterns, ",") {
		p, negative := strings.CutPrefix(p, "!")
		if !matchPattern(text, p) {
			continue
		}
		if negative {
			return negated
		}
		result = matched
	}
	return result
}

// matchPattern matches one pattern of "*" and "?". It goes back to the last star
// only, so that no pattern takes long.
func matchPattern(text, pattern string) bool {
	t, p, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
