package policy

// privileged: CIS 1.8 5.2.2. A privileged container has every capability and
// device of its node; unset is false.
var privileged = Policy{
	ID:     "privileged",
	Judges: pods,
	Check: func(s *Subject) (found []Finding) {
		for c := range s.Pod.Containers() {
			if c.Security.Privileged.Value {
				found = append(found, s.container(c).field("securityContext.privileged").found("privileged is true"))
			}
		}
		return found
	},
}
