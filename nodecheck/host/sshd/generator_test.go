package sshd

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// generator writes configurations as people do, and some as nobody should.
type generator struct {
	*rand.Rand
	dir string
}

func (g generator) pick(list ...string) string { return list[g.IntN(len(list))] }

func (g generator) chance(percent int) bool { return g.IntN(100) < percent }

var menu = map[string][]string{
	"X11Forwarding":         {"yes", "no", "Yes", "NO"},
	"MaxAuthTries":          {"1", "4", "6", "0", "04"},
	"PermitRootLogin":       {"yes", "no", "prohibit-password", "without-password", "forced-commands-only", "No"},
	"PermitUserEnvironment": {"yes", "no", "LANG,LC_*", "No"},
	"ClientAliveInterval":   {"0", "300", "5m", "1h30m", "301"},
	"ClientAliveCountMax":   {"0", "3", "10"},
	"LoginGraceTime":        {"0", "60", "1m", "2M", "1m1s", "120"},
	"Banner":                {"/etc/issue.net", "none", "None", "issue", "/etc/issue", "/etc/issue#2"},
	"DisableForwarding":     {"yes", "no"},
	"MACs": {
		"hmac-sha2-512,hmac-sha2-256", "+hmac-md5", "-umac-64*,hmac-sha1*", "^hmac-sha2-512", "-*", "hmac-sha1",
		"+hmac-sha2-256,hmac-sha1-96", "-*,!hmac-sha2-256", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256,,umac*",
		"^umac-128@openssh.com,hmac-sha2-256", "hmac-sha2-256,", "-",
	},
	"UsePAM": {"yes", "no"}, "AcceptEnv": {"LANG LC_*"}, "PrintMotd": {"no"}, "PasswordAuthentication": {"no", "yes"},
	"UsePrivilegeSeparation": {"sandbox"}, "KbdInteractiveAuthentication": {"no"}, "AllowTcpForwarding": {"local"},
	"ForceCommand": {"internal-sftp -l INFO"},
}

var menuKeys = slices.Sorted(maps.Keys(menu))

func (g generator) keywordLine() string {
	key := g.pick(menuKeys...)
	value := g.pick(menu[key]...)
	switch {
	case g.chance(25) && !strings.Contains(value, " "):
		value = g.pick(`"`+value+`"`, `'`+value+`'`, value[:1]+`"`+value[1:]+`"`)
	case g.chance(1):
		value = g.pick("", "maybe", "-1", "1x", `"open`, "a b", "1.5", "no no", "hmac-ripemd160", "hmac-sha2-256,bogus", "+", "!x")
	}
	switch g.IntN(4) {
	case 0:
		key = strings.ToLower(key)
	case 1:
		key = strings.ToUpper(key)
	}
	line := g.pick("", "", "", " ", "\t", "\r") + key + g.pick(" ", " ", " ", "\t", "=", " = ", "= ", "  ") + value
	return line + g.pick("", "", "", "", " # why", "\r", "  ", " #")
}

func (g generator) matchLine() string {
	return g.pick(
		"Match User alice", "Match all", "match user bob", "MATCH ALL", "Match Address 10.0.0.0/8", "Match User alice Address 10.0.0.0/8",
		"Match User=alice", "Match User *", `Match User "alice"`, "Match user a*,!alice", "Match all # everybody",
	)
}

func (g generator) includeLine(below int) string {
	if below == 0 {
		return "Include " + filepath.Join(g.dir, "nothing*.conf")
	}
	return g.pick(
		"Include "+filepath.Join(g.dir, fmt.Sprintf("%d-*.conf", below)),
		"include="+filepath.Join(g.dir, fmt.Sprintf("%d-a.conf", below)),
		"Include "+filepath.Join(g.dir, fmt.Sprintf("%d-b.conf", below))+" "+filepath.Join(g.dir, fmt.Sprintf("%d-[!b].conf", below)),
		`Include "`+filepath.Join(g.dir, "not-there.conf")+`"`,
	)
}

func (g generator) file(name string, below int) error {
	var b strings.Builder
	inMatch := false
	for range g.IntN(8) + 1 {
		switch n := g.IntN(100); {
		case n < 12:
			b.WriteString(g.matchLine())
			inMatch = true
		case n < 25:
			b.WriteString(g.includeLine(below))
		case n < 30:
			b.WriteString(g.pick("", "# a comment", "  # another", `"X11Forwarding no`, "\t", "#\"quoted\""))
		case n == 30:
			b.WriteString(g.pick("NoSuchKeyword yes", "Match", "Match all User a", "Match Nobody x", "Match User", "Include", "Match Address 10.0.0.1/8",
				"Match LocalPort 70000", "PermitRootLogin", "Match User a all", "=X11Forwarding no"))
		default:
			line := g.keywordLine()
			// In a block most keywords of the whole server are refused: seldom is enough.
			for inMatch && !g.chance(3) && !overridable(line) {
				line = g.keywordLine()
			}
			b.WriteString(line)
		}
		b.WriteByte('\n')
	}
	return os.WriteFile(filepath.Join(g.dir, name), []byte(b.String()), 0o600)
}

func overridable(line string) bool {
	w := words{rest: strings.TrimLeft(line, blanks)}
	name, _ := w.next()
	return keywords[strings.ToLower(name)].match
}
