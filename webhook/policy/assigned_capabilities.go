package policy

import "fmt"

// assignedCapabilities: CIS 1.8 5.2.10, 5.2.9 in 1.12. A container drops ALL and
// adds NET_BIND_SERVICE at most. A privileged one keeps all whatever it drops.
var assignedCapabilities = Policy{
	ID:         "assigned-capabilities",
	Judges:     pods,
	LinuxOnly:  true,
	Parameters: []string{"allowedCapabilities"},
	Check: func(s *Subject) (found []Finding) {
		for c := range s.Pod.Containers() {
			sec, at := &c.Security, s.container(c).field("securityContext")
			if sec.Privileged.Value {
				found = append(found, at.field("privileged").found("a privileged container has every capability whatever it drops"))
			}
			if !drops(sec.Drop, "ALL") {
				found = append(found, at.field("capabilities.drop").found("%s, not ALL", dropsOnly(sec.Drop)))
			}
			for i, name := range sec.Add {
				if added(name) != "NET_BIND_SERVICE" && !s.allowsCapability(name) {
					found = append(found, at.item("capabilities.add", i, added(name)).found("adds %q", name))
				}
			}
		}
		return found
	},
}

// dropsOnly says what a container drops.
func dropsOnly(drop []string) string {
	if len(drop) == 0 {
		return "drops nothing"
	}
	return fmt.Sprintf("drops only %q", drop)
}
