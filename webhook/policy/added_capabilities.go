package policy

import "slices"

// addedCapabilities: CIS 1.8 5.2.9, gone from 1.12. Nothing may be added to the
// runtime's default set but what the parameters allow.
var addedCapabilities = Policy{
	ID:         "added-capabilities",
	Judges:     pods,
	LinuxOnly:  true,
	Parameters: []string{"allowedCapabilities"},
	Check: func(s *Subject) (found []Finding) {
		for c := range s.Pod.Containers() {
			for i, name := range c.Security.Add {
				if !s.allowsCapability(name) {
					found = append(found, s.container(c).item("securityContext.capabilities.add", i, added(name)).found("adds %q", name))
				}
			}
		}
		return found
	},
}

// allowsCapability is whether the parameters name the capability. ALL is allowed
// only where it is named itself.
func (s *Subject) allowsCapability(name string) bool {
	return slices.ContainsFunc(s.Parameters.AllowedCapabilities, func(allowed string) bool {
		return added(allowed) == added(name)
	})
}
