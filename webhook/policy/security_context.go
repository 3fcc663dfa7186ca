package policy

// securityContext: CIS 1.8 5.7.3, 5.6.3 from 1.11. Every container has a security
// context that says something, its own or the pod's. What it should say is the
// matter of the other controls; {} says nothing.
var securityContext = Policy{
	ID:     "security-context",
	Judges: pods,
	Check: func(s *Subject) (found []Finding) {
		if s.Pod.Security.Fields > 0 {
			return nil
		}
		for c := range s.Pod.Containers() {
			if c.Security.Fields == 0 {
				found = append(found, s.container(c).field("securityContext").found("securityContext is empty for the container and for the pod"))
			}
		}
		return found
	},
}
