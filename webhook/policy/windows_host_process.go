package policy

// windowsHostProcess: CIS 1.8 5.2.11. A HostProcess container runs as a process of
// its Windows node. It counts whatever os.name says.
var windowsHostProcess = Policy{
	ID:     "windows-host-process",
	Judges: pods,
	Check: func(s *Subject) (found []Finding) {
		const field = "securityContext.windowsOptions.hostProcess"
		if s.Pod.Security.HostProcess.Value {
			found = append(found, s.spec().field(field).found("hostProcess is true"))
		}
		for c := range s.Pod.Containers() {
			switch own := c.Security.HostProcess; {
			case own.Value:
				found = append(found, s.container(c).field(field).found("hostProcess is true"))
			case !own.Set && s.Pod.Security.HostProcess.Value:
				found = append(found, s.spec().of(s.container(c)).field(field).found("hostProcess is true for container %q", c.Name))
			}
		}
		return found
	},
}
