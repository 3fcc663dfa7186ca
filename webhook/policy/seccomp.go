package policy

import "github.com/hardgate-dev/hardgate/webhook/workload"

// seccomp: CIS 1.8 5.7.2, 5.6.2 from 1.11. Every container runs under the
// runtime's own profile or a named one of the node. Unset is unconfined; what a
// kubelet sets by default is not seen here. Annotations are ignored, as the API
// server ignores them.
var seccomp = Policy{
	ID:        "seccomp",
	Judges:    pods,
	LinuxOnly: true,
	Check: func(s *Subject) (found []Finding) {
		pod := s.Pod.Security.Seccomp
		podAt := s.spec().field("securityContext.seccompProfile")
		// A bad profile of the pod counts even where every container overrides it:
		// the sandbox runs under it, and so would a container that is added later.
		if pod.Set && !confines(pod) {
			found = append(found, podAt.found("%s", describe(pod)))
		}
		for c := range s.Pod.Containers() {
			at := s.container(c).field("securityContext.seccompProfile")
			switch own := c.Security.Seccomp; {
			case own.Set && !confines(own):
				found = append(found, at.found("%s", describe(own)))
			case !own.Set && !pod.Set:
				found = append(found, at.found("seccompProfile is unset for the container and for the pod, which is unconfined"))
			case !own.Set && !confines(pod):
				found = append(found, podAt.of(at).found("%s for container %q", describe(pod), c.Name))
			}
		}
		return found
	},
	Fix: func(s *Subject) (mend []Default) {
		if s.Pod.Security.Seccomp.Set {
			return nil
		}
		for c := range s.Pod.Containers() {
			if !c.Security.Seccomp.Set {
				return []Default{s.podDefault(map[string]any{"type": "RuntimeDefault"}, "securityContext", "seccompProfile")}
			}
		}
		return nil
	},
}

// confines is whether a profile limits anything. Localhost needs a file: kubelets
// before the mend of CVE-2023-2431 ran without any when it was empty.
func confines(p workload.Seccomp) bool {
	return p.Type == "RuntimeDefault" || p.Type == "Localhost" && p.LocalhostProfile != ""
}

func describe(p workload.Seccomp) string {
	switch p.Type {
	case "":
		return "seccompProfile has no type"
	case "Localhost":
		return "seccompProfile.type is Localhost without a localhostProfile"
	}
	return "seccompProfile.type is " + p.Type
}
