package policy

// hostPID: CIS 1.8 5.2.3. The pod would see the processes of its node; unset is false.
var hostPID = Policy{
	ID:     "host-pid",
	Judges: pods,
	Check: func(s *Subject) []Finding {
		if s.Pod.HostPID {
			return []Finding{s.spec().field("hostPID").found("hostPID is true")}
		}
		return nil
	},
}
