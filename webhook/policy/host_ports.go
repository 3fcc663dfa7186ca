package policy

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// hostPorts: CIS 1.8 5.2.13. No container may bind a port of the node but those
// that the parameters allow.
//
// In a pod on the node's network every containerPort is a port of the node. The
// API server writes that down in pods, not in templates; it is read so in both.
var hostPorts = Policy{
	ID:         "host-ports",
	Judges:     pods,
	Parameters: []string{"allowedHostPorts"},
	Check: func(s *Subject) (found []Finding) {
		for c := range s.Pod.Containers() {
			for _, p := range c.Ports {
				port, why := p.HostPort, ""
				if port == 0 && s.Pod.HostNetwork {
					port, why = p.ContainerPort, ", its containerPort: the pod is on the host's network"
				}
				if port == 0 || allowsPort(s.Parameters.AllowedHostPorts, port) {
					continue
				}
				found = append(found, boundPort(s, c, p, port, why))
			}
		}
		return found
	},
}

// boundPort makes the finding. On the network a port is more than on the loopback
// interface, and TCP is not UDP.
func boundPort(s *Subject, c *workload.Container, p workload.Port, port int64, why string) Finding {
	protocol, on := cmp.Or(p.Protocol, "TCP"), ""
	as := strconv.FormatInt(port, 10) + "/" + protocol
	if protocol != "TCP" {
		on = "/" + protocol
	}
	if p.HostIP != "" {
		on += " of " + p.HostIP
	}
	at := s.container(c).item("ports", p.Index, as).field("hostPort")
	f := at.found("binds host port %d%s%s", port, on, why)
	if address, err := netip.ParseAddr(p.HostIP); err != nil || !address.IsLoopback() {
		f.Kin = &Kin{Weaker: []string{f.Same}}
		f.Same += " on the network"
	}
	return f
}

func allowsPort(allowed []v1alpha1.PortRange, port int64) bool {
	return slices.ContainsFunc(allowed, func(r v1alpha1.PortRange) bool {
		return int64(r.Min) <= port && port <= int64(r.Max)
	})
}
