package policy

// hostIPC: CIS 1.8 5.2.4. The pod would see the shared memory and semaphores of its node; unset is false.
var hostIPC = Policy{
	ID:     "host-ipc",
	Judges: pods,
	Check: func(s *Subject) []Finding {
		if s.Pod.HostIPC {
			return []Finding{s.spec().field("hostIPC").found("hostIPC is true")}
		}
		return nil
	},
}
