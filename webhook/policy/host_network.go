package policy

// hostNetwork: CIS 1.8 5.2.5. The pod would see the interfaces and the loopback services of its node; unset is false.
var hostNetwork = Policy{
	ID:     "host-network",
	Judges: pods,
	Check: func(s *Subject) []Finding {
		if s.Pod.HostNetwork {
			return []Finding{s.spec().field("hostNetwork").found("hostNetwork is true")}
		}
		return nil
	},
}
