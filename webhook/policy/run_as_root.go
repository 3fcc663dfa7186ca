package policy

// runAsRoot: CIS 1.8 5.2.7. A container passes when it will not run as uid 0:
// runAsNonRoot is true, which the kubelet enforces against the image, or
// runAsUser is 1 or more; the container's value beats the pod's.
//
// Windows pods are judged too: runAsNonRoot is a field they may set.
var runAsRoot = Policy{
	ID:     "run-as-root",
	Judges: pods,
	Check: func(s *Subject) (found []Finding) {
		pod := &s.Pod.Security
		for c := range s.Pod.Containers() {
			nonRoot, user := c.Security.RunAsNonRoot, c.Security.RunAsUser
			own := s.container(c)
			nonRootAt, userAt := own, own
			if !nonRoot.Set && pod.RunAsNonRoot.Set {
				nonRoot, nonRootAt = pod.RunAsNonRoot, s.spec().of(own)
			}
			if !user.Set && pod.RunAsUser.Set {
				user, userAt = pod.RunAsUser, s.spec().of(own)
			}
			if nonRoot.Value || user.Set && user.Value >= 1 {
				continue
			}
			// User 0 is a fault of its own, besides that nothing rules out root: without
			// it the other is left.
			if user.Set {
				found = append(found, userAt.field("securityContext.runAsUser").found("runAsUser is %d for container %q", user.Value, c.Name))
			}
			nonRootAt = nonRootAt.field("securityContext.runAsNonRoot")
			if nonRoot.Set {
				found = append(found, nonRootAt.found("runAsNonRoot is false for container %q", c.Name))
			} else {
				found = append(found, nonRootAt.found("runAsNonRoot is unset for the container and for the pod"))
			}
		}
		return found
	},
}
