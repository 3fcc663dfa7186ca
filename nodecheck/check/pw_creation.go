package check

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/packages"
	"github.com/hardgate-dev/hardgate/nodecheck/host/pam"
	"github.com/hardgate-dev/hardgate/nodecheck/host/pwquality"
)

// pwCreation: CIS Ubuntu 16.04 5.3.1. Every way to a new password must lead through
// pam_pwquality with settings that are strict enough.
var pwCreation = Check{
	ID:    "pw-creation",
	Reads: []string{"/etc/pam.d", "/usr/lib/pam.d", "/etc/security/pwquality.conf", "/etc/security/pwquality.conf.d"},
	Run: passwords(func(h *host.Host, rules *Rules) (Result, error) {
		var j judge
		// passwd changes a password when a user likes to, the others one that expired.
		for _, service := range []string{"passwd", "login", "sshd", "su", "su-l", "sudo"} {
			found, err := pam.HasService(h, service)
			if err != nil {
				j.unknown(err)
				continue
			}
			if found || service == "passwd" {
				j.passwordStack(h, service, rules)
			}
		}
		return j.done()
	}),
}

const pwqualityModule = "pam_pwquality.so"

func (j *judge) passwordStack(h *host.Host, service string, rules *Rules) {
	stack, err := pam.Read(h, service, pam.Password)
	if missing(err) {
		j.once(true, Finding{Where: path.Join("/etc/pam.d", service), Detail: "no service changes passwords: neither this file nor that of other exists"})
		return
	}
	if err != nil {
		j.unknown(err)
		return
	}
	i := slices.IndexFunc(stack.Rules, func(r pam.Rule) bool { return r.Base() == pwqualityModule })
	by, err := stack.Grants(func(r *pam.Rule) []pam.Code {
		switch {
		case i >= 0 && r == &stack.Rules[i]:
			return refused
		case r.Base() == "pam_deny.so":
			return []pam.Code{pam.AuthErr}
		}
		return pam.Any()
	})
	wanted := Finding{Where: stack.Path, Expected: "password requisite " + pwqualityModule}
	switch {
	case err != nil:
		j.unknown(&host.Error{Path: stack.Path, Err: err})
	case by == nil && i < 0:
		j.once(true, Finding{Where: stack.Path, Detail: "no password can be changed through " + service})
		return
	case i < 0:
		wanted.Where, wanted.Actual, wanted.Detail = by.Where, describe(by), "new passwords are not judged by "+pwqualityModule
		j.once(false, wanted)
		return
	}
	rule := &stack.Rules[i]
	wanted.Where, wanted.Actual = rule.Where, describe(rule)
	switch {
	case by == nil:
		j.once(true, wanted)
	case !rule.Control.Denies(refused...):
		wanted.Detail = "a password that it refuses is taken nevertheless"
		j.once(false, wanted)
	default:
		j.once(false, Finding{Where: by.Where, Actual: describe(by), Detail: "a new password gets around " + pwqualityModule})
	}
	j.tokens(h, stack, i)
	j.pamModule(h, rule)
	j.quality(h, rule, rules)
}

// refused is what pam_pwquality returns for a password that is not good enough.
var refused = []pam.Code{pam.AuthtokErr, pam.MaxTries}

// once notes a finding unless another service led to the same.
func (j *judge) once(ok bool, f Finding) {
	if !slices.Contains(j.held, f) && !slices.Contains(j.faults, f) {
		j.expect(ok, f)
	}
}

func describe(r *pam.Rule) string {
	return fmt.Sprintf("%s %s %s", r.Type, r.Control.Text, r.Base())
}

// tokens judges that pam_unix takes the password that rule i judged. Seen with libpam
// 1.5.2: behind a required pam_pwquality it asks for another one and stores that,
// though the change as a whole fails; behind a requisite one it is not asked, and a
// password that was not refused it takes without asking. Before 1.3 it asked for
// another one even then, without an option that says otherwise.
func (j *judge) tokens(h *host.Host, stack pam.Stack, i int) {
	behind := len(stack.Behind(i, refused...))
	for n := i + 1; n < len(stack.Rules); n++ {
		r := &stack.Rules[n]
		refusedToo := n >= len(stack.Rules)-behind
		_, ok := r.Arg("use_authtok")
		if r.Base() != "pam_unix.so" {
			continue
		}
		if !refusedToo {
			again, err := asksAgain(h)
			if !ok {
				j.unknown(err)
			}
			if ok || !again {
				continue
			}
		}
		f := Finding{Where: r.Where, Expected: "use_authtok", Actual: "use_authtok"}
		for _, option := range []string{"use_first_pass", "try_first_pass"} {
			if _, found := r.Arg(option); found && !ok && !refusedToo {
				ok, f.Actual = true, option
			}
		}
		if !ok {
			f.Actual, f.Detail = "pam_unix.so without use_authtok", "it asks for another password, which nothing judges"
		}
		j.once(ok, f)
	}
}

// asksAgain is whether the pam_unix of the node is known to be that of Linux-PAM
// before 1.3.
func asksAgain(h *host.Host) (bool, error) {
	version, _, err := packages.Version(h, "libpam-modules")
	switch {
	case err != nil && packages.None(err):
		return false, nil // a system without dpkg of our time has a later one
	case err != nil:
		return false, err
	}
	if _, after, epoch := strings.Cut(version, ":"); epoch {
		version = after
	}
	return slices.ContainsFunc([]string{"0.", "1.0", "1.1.", "1.2."}, func(p string) bool { return strings.HasPrefix(version, p) }), nil
}

// moduleDirs are where libpam looks for modules, by distribution and architecture.
var moduleDirs = []string{
	"/usr/lib/security", "/usr/lib64/security", "/usr/lib/*-linux-*/security",
	"/lib/security", "/lib64/security", "/lib/*-linux-*/security",
}

// pamModule judges that the module of a rule is installed.
func (j *judge) pamModule(h *host.Host, r *pam.Rule) {
	patterns := []string{r.Module}
	if !path.IsAbs(r.Module) {
		patterns = nil
		for _, dir := range moduleDirs {
			patterns = append(patterns, path.Join(dir, r.Module))
		}
	}
	for _, pattern := range patterns {
		paths, err := h.Glob(pattern)
		if err != nil {
			j.unknown(err)
			return
		}
		for _, p := range paths {
			if found, err := h.Exists(p); found || err != nil {
				j.unknown(err)
				j.once(true, Finding{Where: p, Detail: "the module is installed"})
				return
			}
		}
	}
	j.once(false, Finding{Where: r.Where, Actual: "no " + r.Base() + " in any directory of modules", Detail: "it is not installed"})
}

// quality judges the settings that a rule works with.
func (j *judge) quality(h *host.Host, r *pam.Rule, rules *Rules) {
	settings, err := pwquality.Read(h)
	if err != nil {
		j.unknown(err)
		return
	}
	q := quality{judge: j, settings: settings.With(r.Args, r.Where)}
	enforcing := q.settings.Get("enforcing")
	if enforcing.Value == 0 {
		q.setting("enforcing", "1", false, "bad passwords are only warned of")
	}
	q.length()
	q.classes(rules)
	retry := q.settings.Get("retry").Value
	q.setting("retry", "3 or less", retry <= 3, "")
	if dict := q.settings.Get("dictcheck"); rules.DictionaryCheck {
		q.setting("dictcheck", "1", dict.Value != 0, "")
	} else if dict.Value == 0 {
		j.once(true, Finding{Where: dict.Where, Actual: "dictcheck 0", Detail: "words of a dictionary are taken, which this edition allows"})
	}
	if local := q.settings.Get("local_users_only"); local.Value != 0 {
		j.once(true, Finding{Where: local.Where, Actual: "local_users_only", Detail: "accounts outside /etc/passwd are not judged"})
	}
}

type quality struct {
	*judge
	settings pwquality.Settings
}

var credits = []string{"dcredit", "ucredit", "ocredit", "lcredit"}

// length judges the length that is really asked for: a positive credit lets a
// password with such a letter be shorter.
func (q quality) length() {
	const least = 14
	shorter := 0
	for _, name := range credits {
		shorter += max(q.settings.Get(name).Value, 0)
	}
	detail := ""
	if shorter > 0 {
		detail = fmt.Sprintf("credits make up for %d of them", shorter)
	}
	q.setting("minlen", fmt.Sprintf("%d or more", least), q.settings.Get("minlen").Value-shorter >= least, detail)
}

// classes judges that letters of all four kinds are asked for.
func (q quality) classes(rules *Rules) {
	const all = 4
	expected := "-1 or less"
	if rules.MinClassSuffices {
		if q.settings.Get("minclass").Value >= all {
			q.setting("minclass", "4", true, "")
			return
		}
		expected += ", or minclass 4"
	}
	for _, name := range credits {
		q.setting(name, expected, q.settings.Get(name).Value <= -1, "")
	}
}

func (q quality) setting(name, expected string, ok bool, detail string) {
	s := q.settings.Get(name)
	f := Finding{Where: s.Where, Expected: name + " " + expected, Actual: fmt.Sprintf("%s %d", name, s.Value), Detail: detail}
	if s.Where == "" {
		f.Where, f.Detail = "/etc/security/pwquality.conf", join(detail, "the default")
	}
	q.once(ok, f)
}
