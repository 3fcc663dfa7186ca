package umask

import (
	"strconv"
	"strings"
)

// Mask is one umask that a shell may begin with.
type Mask struct {
	// Where is the command that sets it; "" where no file does, so that the shell has
	// what it was started with.
	Where string
	// Text is the command's argument as written.
	Text  string
	Value uint32
	// Known is false where the argument is computed, so that no file says what it is.
	Known bool
}

// apply is the mask that an argument of umask makes of another: digits replace it,
// symbols change it. It takes what dash and bash agree on; ok is false for the rest,
// which one of them refuses or takes differently.
func apply(arg string, before uint32) (value uint32, ok bool) {
	if arg != "" && strings.Trim(arg, "01234567") == "" {
		n, err := strconv.ParseUint(arg, 8, 12)
		return uint32(n) & 0o777, err == nil
	}
	allowed := ^before & 0o777
	for clause := range strings.SplitSeq(arg, ",") {
		if allowed, ok = symbolic(clause, allowed); !ok {
			return 0, false
		}
	}
	return ^allowed & 0o777, true
}

// symbolic applies one clause, such as "g=rx" or "go-w", to the permissions that a
// mask leaves.
func symbolic(clause string, allowed uint32) (uint32, bool) {
	i := strings.IndexAny(clause, "=+-")
	if i < 0 {
		return 0, false
	}
	who, ok := letters(clause[:i], map[rune]uint32{'u': 0o700, 'g': 0o070, 'o': 0o007, 'a': 0o777})
	if !ok {
		return 0, false
	}
	if i == 0 {
		who = 0o777
	}
	bits, ok := letters(clause[i+1:], map[rune]uint32{'r': 0o444, 'w': 0o222, 'x': 0o111})
	if !ok {
		return 0, false
	}
	switch bits &= who; clause[i] {
	case '=':
		return allowed&^who | bits, true
	case '+':
		return allowed | bits, true
	}
	return allowed &^ bits, true
}

func letters(text string, meaning map[rune]uint32) (bits uint32, ok bool) {
	for _, c := range text {
		bit, known := meaning[c]
		if !known {
			return 0, false
		}
		bits |= bit
	}
	return bits, true
}
