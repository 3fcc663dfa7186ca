package check

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/sshd"
)

// sshChecks: CIS Ubuntu 16.04 5.2.4 to 5.2.15. All judge what sshd makes of its
// files; a value that some connections only get counts as well.
var sshChecks = []*Check{
	ssh("ssh-x11", sshX11),
	ssh("ssh-maxauthtries", func(j *judge, c *sshd.Config, _ *Rules) {
		sshValue(j, c, "MaxAuthTries", "4 or less", func(value string) (bool, string) {
			n, err := strconv.Atoi(value)
			return err == nil && n <= 4, ""
		})
	}),
	// 5.2.8: "prohibit-password", the default, lets root in with a key.
	ssh("ssh-root-login", func(j *judge, c *sshd.Config, _ *Rules) { sshWord(j, c, "PermitRootLogin", "no") }),
	// 5.2.10: anything but "no" is "yes" or a list of patterns, "No" as well.
	ssh("ssh-user-env", func(j *judge, c *sshd.Config, _ *Rules) { sshWord(j, c, "PermitUserEnvironment", "no") }),
	ssh("ssh-macs", sshMACs),
	ssh("ssh-idle", sshIdle),
	ssh("ssh-login-grace-time", func(j *judge, c *sshd.Config, _ *Rules) {
		sshValue(j, c, "LoginGraceTime", "1 to 60", func(value string) (bool, string) { return sshSeconds(value, 60) })
	}),
	sshBanner,
}

var errStale = errors.New("it changed after sshd last read its configuration, so that what is in force is not known before sshd is reloaded")

// ssh makes a check of what is judged where a server runs.
func ssh(id control.ID, judgeConfig func(*judge, *sshd.Config, *Rules)) *Check {
	return sshWithHost(id, func(j *judge, _ *host.Host, c *sshd.Config, rules *Rules) { judgeConfig(j, c, rules) })
}

func sshWithHost(id control.ID, judgeConfig func(*judge, *host.Host, *sshd.Config, *Rules)) *Check {
	return &Check{
		ID: id,
		Reads: []string{
			"/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d", "/usr/etc/ssh/sshd_config", "/etc/default/ssh",
			"ssh.service", "sshd.service", "ssh.socket", "sshd.socket", "/var/lib/dpkg/status", "/usr/sbin/sshd", "/run/sshd.pid", "/proc/<pid>/cmdline",
		},
		Run: func(h *host.Host, rules *Rules) (Result, error) {
			c, err := sshd.Read(h)
			if err != nil {
				return Result{}, err
			}
			if c.Off != "" {
				return notApplicable(c.OffWhere, c.Off)
			}
			var j judge
			judgeConfig(&j, h, c, rules)
			if c.Stale != "" {
				j.unknown(&host.Error{Path: c.Stale, Err: errStale})
			}
			return j.done()
		},
	}
}

// sshWord judges a keyword that must have one value.
func sshWord(j *judge, c *sshd.Config, name, want string) {
	sshValue(j, c, name, want, func(value string) (bool, string) { return value == want, "" })
}

// sshValue judges a keyword by what all connections get and by what each Match
// block makes of it. right returns whether a value is right, or why it is not.
func sshValue(j *judge, c *sshd.Config, name, want string, right func(value string) (bool, string)) {
	for _, s := range sshSettings(c, name) {
		ok, why := right(s.Value)
		f := sshFinding(c, s, name, want)
		if !ok && why != "" {
			f.Detail = join(f.Detail, why)
		}
		j.expect(ok, f)
	}
}

// sshSettings are the values of a keyword, the one for everybody first.
func sshSettings(c *sshd.Config, name string) []sshd.Setting {
	keyword := sshd.Keyword(name)
	return append([]sshd.Setting{c.Effective(keyword)}, c.Conditional(keyword)...)
}

func sshFinding(c *sshd.Config, s sshd.Setting, name, want string) Finding {
	f := Finding{Where: s.Where, Expected: name + " " + want, Actual: name + " " + s.Value}
	switch {
	case s.Default:
		f.Detail = "not set, this is the default of " + c.Version.String()
	case s.Option:
		f.Detail = "an option that the unit passes, which beats the files"
	case s.Match != "":
		f.Detail = "for connections that match " + s.Match
	}
	return f
}

// sshSeconds is whether a time is from 1 to most: 0 is no limit.
func sshSeconds(value string, most int64) (ok bool, why string) {
	n, valid := sshd.Seconds(value)
	switch {
	case !valid:
		return false, "not a time"
	case n == 0:
		return false, "0 is no limit"
	case strconv.FormatInt(n, 10) != value:
		why = fmt.Sprintf("that is %d seconds", n)
	}
	return n <= most, why
}
