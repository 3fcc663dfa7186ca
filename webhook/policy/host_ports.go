package policy

import (
	"slices"
	"strconv"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
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
				at := s.container(c).item("ports", p.Index, strconv.FormatInt(port, 10)).field("hostPort")
				found = append(found, at.found("binds host port %d%s", port, why))
			}
		}
		return found
	},
}

func allowsPort(allowed []v1alpha1.PortRange, port int64) bool {
	return slices.ContainsFunc(allowed, func(r v1alpha1.PortRange) bool {
		return int64(r.Min) <= port && port <= int64(r.Max)
	})
}
