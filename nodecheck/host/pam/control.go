package pam

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Code is what a module returns: an index into the names of pam.conf(5).
type Code uint8

// names are in the order of pam.conf(5), which is that of the numbers in libpam.
var names = [...]string{
	"success", "open_err", "symbol_err", "service_err", "system_err", "buf_err", "perm_denied", "auth_err",
	"cred_insufficient", "authinfo_unavail", "user_unknown", "maxtries", "new_authtok_reqd", "acct_expired",
	"session_err", "cred_unavail", "cred_expired", "cred_err", "no_module_data", "conv_err", "authtok_err",
	"authtok_recover_err", "authtok_lock_busy", "authtok_disable_aging", "try_again", "ignore", "abort",
	"authtok_expired", "module_unknown", "bad_item", "conv_again", "incomplete",
}

// The codes that have a meaning of their own here.
const (
	Success        Code = 0
	PermDenied     Code = 6
	AuthErr        Code = 7
	MaxTries       Code = 11
	NewAuthtokReqd Code = 12
	AuthtokErr     Code = 20
	Ignore         Code = 25
)

// Any is every code.
func Any() []Code {
	list := make([]Code, len(names))
	for i := range list {
		list[i] = Code(i)
	}
	return list
}

// action is what becomes of a code. Positive numbers skip that many rules.
type action int

const (
	ignored action = 0
	ok      action = -1
	done    action = -2
	bad     action = -3
	die     action = -4
	reset   action = -5
)

var actionNames = map[string]action{"ignore": ignored, "ok": ok, "done": done, "bad": bad, "die": die, "reset": reset}

// Control is the second word of a rule.
type Control struct {
	Text    string // as written
	actions [len(names)]action
}

// parseControl reads a keyword or "[code=action ...]". Codes that are not named are
// bad.
func parseControl(text string) (Control, error) {
	c := Control{Text: text}
	success, rest, ignore := ok, bad, ignored
	switch strings.ToLower(text) {
	case "required":
	case "requisite":
		rest = die
	case "optional":
		rest = ignored
	case "sufficient":
		success, rest = done, ignored
	default:
		err := c.parse(text)
		return c, err
	}
	for i := range c.actions {
		c.actions[i] = rest
	}
	c.actions[Success], c.actions[NewAuthtokReqd], c.actions[Ignore] = success, success, ignore
	return c, nil
}

func (c *Control) parse(text string) error {
	inner, closed := strings.CutSuffix(strings.TrimPrefix(text, "["), "]")
	if !closed || inner == text {
		return fmt.Errorf("unknown control %s", short(text))
	}
	const unset action = -100
	for i := range c.actions {
		c.actions[i] = unset
	}
	rest := bad
	words := strings.Fields(strings.ReplaceAll(inner, "=", " = "))
	for ; len(words) >= 3 && words[1] == "="; words = words[3:] {
		a, known := actionNames[words[2]]
		if !known {
			n, err := strconv.ParseUint(words[2], 10, 16)
			if err != nil || n == 0 {
				return fmt.Errorf("unknown action %s", short(words[2]))
			}
			a = action(n)
		}
		if words[0] == "default" {
			rest = a
			continue
		}
		i := slices.Index(names[:], words[0])
		if i < 0 {
			return fmt.Errorf("unknown value %s", short(words[0]))
		}
		c.actions[i] = a
	}
	if len(words) > 0 {
		return fmt.Errorf("a control that is no list of value=action: %s", short(text))
	}
	for i, a := range c.actions {
		if a == unset {
			c.actions[i] = rest
		}
	}
	return nil
}

// short quotes what an error repeats of a file.
func short(text string) string {
	const most = 40
	if len(text) > most {
		text = text[:most] + "..."
	}
	return strconv.Quote(text)
}

// Denies is whether every code makes the rule object.
func (c *Control) Denies(codes ...Code) bool {
	for _, code := range codes {
		if a := c.actions[code]; a != bad && a != die {
			return false
		}
	}
	return true
}
