package policy

import "strings"

// added is the name of a capability in add as a runtime may read it: runtimes
// fold case, and some accept the kernel's CAP_ spelling. What might be granted
// counts as granted.
func added(name string) string {
	return strings.TrimPrefix(strings.ToUpper(name), "CAP_")
}

// dropped is the name of a capability in drop. Case is folded as runtimes do it,
// but CAP_ stays: containerd puts CAP_ before every name, so that a drop of
// CAP_NET_RAW drops nothing.
func dropped(name string) string { return strings.ToUpper(name) }

// drops is whether drop names a capability or ALL.
func drops(drop []string, capability string) bool {
	for _, d := range drop {
		if d := dropped(d); d == capability || d == "ALL" {
			return true
		}
	}
	return false
}
