package policy

// netRaw: CIS 1.8 5.2.8. Runtimes grant NET_RAW by default, so it must be dropped,
// by name or with ALL, and not be added. A privileged container has every
// capability whatever it drops.
var netRaw = Policy{
	ID:        "net-raw",
	Judges:    pods,
	LinuxOnly: true,
	Check: func(s *Subject) (found []Finding) {
		for c := range s.Pod.Containers() {
			sec, at := &c.Security, s.container(c).field("securityContext")
			for i, name := range sec.Add {
				if n := added(name); n == "NET_RAW" || n == "ALL" {
					found = append(found, at.item("capabilities.add", i, n).found("adds %q", name))
				}
			}
			if sec.Privileged.Value {
				found = append(found, at.field("privileged").found("a privileged container has NET_RAW whatever it drops"))
			}
			if !drops(sec.Drop, "NET_RAW") {
				found = append(found, at.field("capabilities.drop").found("%s: NET_RAW stays from the runtime's default set", dropsOnly(sec.Drop)))
			}
		}
		return found
	},
	Fix: func(s *Subject) (mend []Default) {
		for c := range s.Pod.Containers() {
			sec := &c.Security
			if !drops(sec.Drop, "NET_RAW") && !adds(sec, "NET_RAW") && !sec.Privileged.Value {
				mend = append(mend, s.containerDefault(c, []any{"NET_RAW"}, "securityContext", "capabilities", "drop"))
			}
		}
		return mend
	},
}
