package check

import (
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/control"
)

// Rules are what editions of the benchmarks disagree about, and what a site adds.
// NewRules makes those of the source documents.
type Rules struct {
	// PasswordMaxDays and PasswordInactiveDays bound the age of passwords, in days.
	PasswordMaxDays      int
	PasswordInactiveDays int
	// DenyListModules wants a "blacklist" line beside the "install" line of a module.
	DenyListModules bool
	// LockedRoot accepts a root account whose password is locked; otherwise it must
	// have one.
	LockedRoot bool
	// BannerHidesDistribution refuses the name of the distribution in a banner too.
	BannerHidesDistribution bool
	// IPv6Redirects holds the rules on redirects and source routes to IPv6 too.
	IPv6Redirects bool
	// SSHMACs are the approved MAC algorithms of sshd.
	SSHMACs []string
	// SSHDisableForwarding wants DisableForwarding, which includes X11Forwarding.
	SSHDisableForwarding bool
	// MinClassSuffices accepts minclass=4 instead of four credits.
	MinClassSuffices bool
	// DictionaryCheck wants new passwords to be looked up in a dictionary.
	DictionaryCheck bool
	// EmptySuGroup wants the group whose members may use su to be named and empty.
	EmptySuGroup bool
	// ClientCAMode is the widest mode of the kubelet's client CA file.
	ClientCAMode uint32
	// TLSRSASuites accepts the two GCM suites with RSA key exchange.
	TLSRSASuites bool

	// Modules are those that a site adds to the unnecessary ones.
	Modules []string
	// Exempt gives the reason why a control may fail on this node.
	Exempt map[control.ID]string
}

// The MAC algorithms that the editions approve.
var (
	macs2016 = []string{
		"hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com", "umac-128-etm@openssh.com",
		"hmac-sha2-512", "hmac-sha2-256", "umac-128@openssh.com",
	}
	macs2024 = []string{
		"hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com", "hmac-sha2-512", "hmac-sha2-256",
	}
)

// The benchmarks whose rules differ from those of the source documents, and the host
// document itself.
const (
	hostDocument  = "aks-host-2019"
	ubuntu2204    = "cis-ubuntu-22.04-3.0.0"
	kubernetes    = "cis-kubernetes-"
	kubernetes111 = "cis-kubernetes-1.11.0"
	kubernetes112 = "cis-kubernetes-1.12.0"
)

// NewRules returns the rules of benchmarks, given by their full ids. Where none of
// them covers a rule, it is that of the source documents: the host document's
// benchmark (CIS Ubuntu 16.04 1.1.0) and CIS Kubernetes 1.8.0. Where several differ,
// the stricter rule counts, so that a pass is one in each of them.
func NewRules(benchmarks ...string) *Rules {
	r := &Rules{
		PasswordMaxDays: 90, PasswordInactiveDays: 30,
		SSHMACs: macs2016, ClientCAMode: 0o600, TLSRSASuites: true,
	}
	if slices.Contains(benchmarks, ubuntu2204) {
		r.DenyListModules = true
		r.BannerHidesDistribution = true
		r.IPv6Redirects = true
		r.SSHMACs = macs2024
		r.SSHDisableForwarding = true
		r.DictionaryCheck = true
		r.EmptySuGroup = true
		if !slices.Contains(benchmarks, hostDocument) {
			r.PasswordMaxDays, r.PasswordInactiveDays = 365, 45
			r.LockedRoot = true
			r.MinClassSuffices = true
		}
	}
	r.TLSRSASuites = !slices.Contains(benchmarks, kubernetes112)
	newer := func(id string) bool { return id == kubernetes111 || id == kubernetes112 }
	older := func(id string) bool { return strings.HasPrefix(id, kubernetes) && !newer(id) }
	if slices.ContainsFunc(benchmarks, newer) && !slices.ContainsFunc(benchmarks, older) {
		r.ClientCAMode = 0o644
	}
	return r
}

// In returns the checks whose controls have a number in one of the benchmarks; all
// where none is given.
func In(checks []*Check, benchmarks ...string) []*Check {
	if len(benchmarks) == 0 {
		return checks
	}
	var list []*Check
	for _, c := range checks {
		for _, b := range benchmarks {
			if control.Number(c.ID, b) != "" {
				list = append(list, c)
				break
			}
		}
	}
	return list
}

// Select returns the checks to run by rules: those In the benchmarks, and the one that
// judges the modules that a site adds where it adds any, whose control has no number.
func Select(rules *Rules, benchmarks ...string) []*Check {
	checks := In(All(), benchmarks...)
	if len(rules.Modules) == 0 || len(checks) == 0 || slices.Contains(checks, &modUnnecessary) {
		return checks
	}
	return append(slices.Clip(checks), &modUnnecessary)
}
