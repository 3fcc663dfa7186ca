package check

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/sshd"
)

var errX11Unsure = errors.New("X11Forwarding is on, and DisableForwarding stops it only since OpenSSH 10.0 or with a distribution's mend of CVE-2025-32728; set X11Forwarding no too")

// sshX11: CIS Ubuntu 16.04 5.2.4; later editions want DisableForwarding instead.
func sshX11(j *judge, c *sshd.Config, rules *Rules) {
	if !rules.SSHDisableForwarding {
		sshWord(j, c, "X11Forwarding", "no")
		return
	}
	sshWord(j, c, "DisableForwarding", "yes")
	if c.Version.Known() && !c.Version.Before(10, 0) {
		return
	}
	for _, s := range sshSettings(c, "X11Forwarding") {
		if s.Value == "yes" {
			j.unknown(&host.Error{Path: s.Where, Err: errX11Unsure})
		} else {
			j.hold(sshFinding(c, s, "X11Forwarding", "no"))
		}
	}
}

// sshMACs: CIS Ubuntu 16.04 5.2.11. Where nothing is set the default counts, which
// has algorithms that no edition approves.
func sshMACs(j *judge, c *sshd.Config, rules *Rules) {
	list, s, err := c.MACs()
	if err != nil {
		j.unknown(err)
		return
	}
	var others []string
	for _, m := range list {
		if !slices.Contains(rules.SSHMACs, m) {
			others = append(others, m)
		}
	}
	f := sshFinding(c, s, "MACs", "of "+strings.Join(rules.SSHMACs, ","))
	switch {
	case s.Default:
		f.Actual = "the default MACs"
	case strings.ContainsAny(s.Value[:1], "+-^"):
		f.Detail = join(f.Detail, "it changes the default of "+c.Version.String())
	}
	if len(others) > 0 {
		f.Detail = join(f.Detail, "not approved: "+strings.Join(others, ", "))
	}
	j.expect(len(others) == 0, f)
}

var errCountMax = errors.New("ClientAliveCountMax 0 ends sessions before OpenSSH 8.2 and never since, and the version is not known")

// sshIdle: CIS Ubuntu 16.04 5.2.12. An interval of 0 asks never; a count of 0 ended
// a session at once before OpenSSH 8.2, and ends none since.
func sshIdle(j *judge, c *sshd.Config, _ *Rules) {
	sshValue(j, c, "ClientAliveInterval", "1 to 300", func(value string) (bool, string) { return sshSeconds(value, 300) })
	const name, want = "ClientAliveCountMax", "3 or less"
	for _, s := range sshSettings(c, name) {
		n, err := strconv.Atoi(s.Value)
		f := sshFinding(c, s, name, want)
		switch {
		case n == 0 && err == nil && !c.Version.Known():
			j.unknown(&host.Error{Path: s.Where, Err: errCountMax})
		case n == 0 && err == nil && !c.Version.Before(8, 2):
			f.Expected = name + " 1 to 3"
			f.Detail = join(f.Detail, "0 ends no session since OpenSSH 8.2")
			j.fault(f)
		default:
			j.expect(err == nil && n <= 3, f)
		}
	}
}

// maxBanner is the size beyond which sshd shows nothing of a banner.
const maxBanner = 1 << 20

// sshBanner: CIS Ubuntu 16.04 5.2.15. sshd says nothing where it cannot show the
// file, so that the file is looked at too.
var sshBanner = sshWithHost("ssh-banner", func(j *judge, h *host.Host, c *sshd.Config, _ *Rules) {
	for _, s := range sshSettings(c, "Banner") {
		f := sshFinding(c, s, "Banner", "/etc/issue.net or another file")
		name := sshd.BannerPath(s.Value)
		j.expect(name != "", f)
		if name == "" {
			continue
		}
		info, err := h.Stat(name)
		shown := Finding{Where: name, Expected: "a text that sshd can show", Actual: fmt.Sprintf("%d bytes", info.Size)}
		switch {
		case missing(err):
			shown.Actual = "no such file"
			j.fault(shown)
		case err != nil:
			j.unknown(err)
		case info.Type == fs.ModeDir:
			shown.Actual = "a directory"
			j.fault(shown)
		case info.Type != 0:
			j.unknown(&host.Error{Path: name, Err: host.ErrNotRegular})
		default:
			j.expect(info.Size > 0 && info.Size <= maxBanner, shown)
		}
	}
})
