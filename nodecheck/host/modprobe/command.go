package modprobe

import (
	"path"
	"slices"
	"strings"
)

// harmless are the programs that do nothing, whatever their arguments, as path and
// as builtin of a shell.
var harmless = []string{
	"/bin/true", "/bin/false", "/usr/bin/true", "/usr/bin/false",
	"/sbin/nologin", "/usr/sbin/nologin", "/bin/nologin", "/usr/bin/nologin",
	"true", "false", ":",
}

// Disables is whether the command does nothing, so that the module is not loaded.
// What a shell would expand, chain or redirect is not taken for nothing.
func (i *Install) Disables() bool {
	words := strings.FieldsFunc(i.Command, func(r rune) bool { return r == ' ' || r == '\t' })
	for n, w := range words {
		if w[0] == '#' {
			words = words[:n]
			break
		}
		if strings.ContainsFunc(w, special) {
			return false
		}
	}
	return len(words) > 0 && slices.Contains(harmless, words[0])
}

// special is whether a character may mean something to a shell.
func special(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	}
	return !strings.ContainsRune("_-+./:,@=", r)
}

// inserts is whether a command of the line loads a module past its install line:
// without modprobe, or with one that is told to pass over it or to read other files.
// modprobe takes the beginning of a long option for the option.
func (i *Install) inserts(name string) bool {
	for command := range strings.FieldsFuncSeq(i.Command, func(r rune) bool { return strings.ContainsRune(";&|()`{}\n", r) }) {
		names, past := false, false
		for w := range strings.FieldsFuncSeq(command, func(r rune) bool { return strings.ContainsRune(" \t\"'$", r) }) {
			base, _, _ := strings.Cut(path.Base(w), ".")
			switch {
			case Canonical(base) == name:
				names = true
			case base == "insmod", strings.HasPrefix(w, "MODPROBE_OPTIONS="):
				past = true
			case strings.HasPrefix(w, "--ignore-i"), strings.HasPrefix(w, "--c"): // --ignore-install, --config
				past = true
			case len(w) > 1 && w[0] == '-' && w[1] != '-' && strings.ContainsAny(w, "iC"):
				past = true
			}
		}
		if names && past {
			return true
		}
	}
	return false
}
