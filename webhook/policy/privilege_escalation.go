package policy

import "github.com/hardgate-dev/hardgate/webhook/workload"

// privilegeEscalation: CIS 1.8 5.2.6. The kernel's no_new_privs is set only where
// allowPrivilegeEscalation is false; unset allows it.
var privilegeEscalation = Policy{
	ID:        "privilege-escalation",
	Judges:    pods,
	LinuxOnly: true,
	Check: func(s *Subject) (found []Finding) {
		for c := range s.Pod.Containers() {
			at := s.container(c).field("securityContext.allowPrivilegeEscalation")
			switch allow := c.Security.AllowPrivilegeEscalation; {
			case !allow.Set:
				found = append(found, at.found("allowPrivilegeEscalation is unset, which allows it"))
			case allow.Value:
				found = append(found, at.found("allowPrivilegeEscalation is true"))
			}
		}
		return found
	},
	// The API server refuses false on a container that is privileged or adds
	// SYS_ADMIN, so those are left alone.
	Fix: func(s *Subject) (mend []Default) {
		for c := range s.Pod.Containers() {
			sec := &c.Security
			if !sec.AllowPrivilegeEscalation.Set && !sec.Privileged.Value && !adds(sec, "SYS_ADMIN") {
				mend = append(mend, s.containerDefault(c, false, "securityContext", "allowPrivilegeEscalation"))
			}
		}
		return mend
	},
}

// adds is whether the container asks for a capability, by whatever spelling a
// runtime may understand.
func adds(sec *workload.Security, capability string) bool {
	for _, c := range sec.Add {
		if c := added(c); c == capability || c == "ALL" {
			return true
		}
	}
	return false
}
