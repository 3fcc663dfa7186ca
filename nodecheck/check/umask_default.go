package check

import (
	"fmt"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/umask"
)

// umaskDefault: CIS Ubuntu 16.04 5.4.4, and login.defs as later editions have it.
// What counts is the umask that a shell ends up with, of all that its conditions
// allow; a mask is judged by its bits: 070 is a greater number and a weaker mask
// than 027.
var umaskDefault = Check{
	ID:    "umask-default",
	Reads: []string{"/etc/profile", "/etc/profile.d", "/etc/bash.bashrc", "/etc/bashrc", "/etc/login.defs", "/etc/pam.d"},
	Run: func(h *host.Host, _ *Rules) (Result, error) {
		var j judge
		defaults, err := umask.Defaults(h)
		j.unknown(err)
		shells, err2 := umask.Read(h)
		j.unknown(err2)
		sessions, err3 := umask.ReadSessions(h)
		j.unknown(err3)
		if err == nil && err2 == nil && err3 == nil && len(shells.Files) == 0 && len(defaults) == 0 && len(sessions) == 0 {
			return notApplicable("/etc/profile", "no shell has files for everybody, and nobody logs in through PAM")
		}
		for _, m := range defaults {
			j.mask(m, "default for new home directories and for pam_umask")
		}
		inherits := false
		for _, m := range shells.Login {
			if m.Where == "" {
				inherits = true
			} else {
				j.mask(m, "login shells")
			}
		}
		for _, m := range shells.Interactive {
			if m.Where != "" {
				j.mask(m, "interactive shells")
			}
		}
		if inherits && err2 == nil && err3 == nil && (err == nil || len(sessions) > 0) {
			j.inherited(sessions)
		}
		return j.done()
	},
}

const wantedMask = 0o027

// mask judges one mask that a file sets.
func (j *judge) mask(m umask.Mask, whose string) {
	f := Finding{Where: m.Where, Expected: "umask 027 or stricter", Actual: fmt.Sprintf("umask %03o", m.Value), Detail: whose}
	if !m.Known {
		j.unknown(&host.Error{Path: m.Where, Err: fmt.Errorf("the umask for %s is computed, or no mask", whose)})
		return
	}
	j.expect(m.Value&wantedMask == wantedMask, f)
}

// inherited judges a login shell that keeps what its login began with: that of
// pam_umask, or else the kernel's 022.
func (j *judge) inherited(sessions []umask.Session) {
	if len(sessions) == 0 {
		j.fault(Finding{Where: "/etc/profile", Expected: "umask 027 or stricter", Actual: "no umask is set", Detail: "login shells"})
	}
	for _, s := range sessions {
		m := s.Mask
		whose := "logins through " + s.Service
		switch {
		case m.Where == "":
			j.fault(Finding{Where: "/etc/profile", Expected: "umask 027 or stricter", Actual: "no umask is set", Detail: whose})
		case s.Groups != "" && m.Known:
			// The group gets what the owner has.
			m.Value = m.Value&0o707 | m.Value>>3&0o070
			m.Where = s.Groups
			j.mask(m, whose+": users with a group of their own get that of the owner for it")
		default:
			j.mask(m, whose)
		}
	}
}
