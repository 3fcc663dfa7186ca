package clusterwide

import "github.com/hardgate-dev/hardgate/control"

// systemMasters: CIS 1.8 5.1.7. That somebody binds the group is judged with the
// bindings; that somebody has it, nothing in the cluster shows.
func (*Facts) systemMasters() Verdict {
	return Verdict{"system-masters", control.ByHand, []string{
		"a certificate that carries the group leaves no object: look at what was signed, and at the kubeconfigs that are kept",
	}}
}
