package control

import (
	"strings"
	"testing"
)

// TestHostRemediesCoverTheChecks: a remedy names all that the check judges, in
// whatever edition; otherwise a person follows it and the control still fails.
func TestHostRemediesCoverTheChecks(t *testing.T) {
	tests := map[ID][]string{
		"ssh-root-login":                  {"/etc/ssh/sshd_config.d", "/etc/ssh/sshd_config ", "Match", "PermitRootLogin no"},
		"ssh-x11":                         {"X11Forwarding no", "DisableForwarding yes"},
		"ssh-idle":                        {"ClientAliveInterval 300", "ClientAliveCountMax 3"},
		"sysctl-send-redirects":           {"net.ipv4.conf.all.send_redirects", "net.ipv4.conf.default.send_redirects"},
		"sysctl-source-route":             {"net.ipv4.conf.all.accept_source_route", "net.ipv6"},
		"sysctl-icmp-redirects":           {"net.ipv4.conf.default.accept_redirects", "net.ipv6"},
		"sysctl-accept-ra":                {"net.ipv6.conf.NAME.accept_ra", "IPv6AcceptRA=no"},
		"sysctl-log-martians":             {"net.ipv4.conf.NAME.log_martians"},
		"banner-local":                    {`\S`, "/etc/issue.d", "22.04"},
		"banner-remote":                   {`\S`, "22.04"},
		"single-user-auth":                {"passwd root", "SYSTEMD_SULOGIN_FORCE", "sulogin"},
		"pw-creation":                     {"libpam-pwquality", "requisite", "pam_unix.so"},
		"su-restricted":                   {"/etc/pam.d/su-l", "include", "group=", "use_uid"},
		"kubelet-protect-kernel-defaults": {"kernel.panic=10", "protectKernelDefaults"},
	}
	for id, words := range tests {
		c, ok := Get(id)
		if !ok {
			t.Errorf("there is no control %s", id)
		}
		for _, text := range []string{c.Remedy.EN, c.Remedy.KO} {
			for _, word := range words {
				if !strings.Contains(text, word) {
					t.Errorf("%s: the remedy does not name %s: %q", id, word, text)
				}
			}
		}
	}
}

// TestHostTitlesHoldInEveryEdition: a title stands beside a verdict by whichever rule.
func TestHostTitlesHoldInEveryEdition(t *testing.T) {
	for id, words := range map[ID][]string{"pw-max-age": {"90", "365"}, "pw-inactive": {"30", "45"}} {
		c, _ := Get(id)
		for _, title := range []string{c.Title.EN, c.Title.KO} {
			for _, word := range words {
				if !strings.Contains(title, word) {
					t.Errorf("%s: the title does not name %s: %q", id, word, title)
				}
			}
		}
	}
}
