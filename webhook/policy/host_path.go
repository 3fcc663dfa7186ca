package policy

import (
	"path"
	"strings"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// hostPath: CIS 1.8 5.2.12. No volume may be a directory of the node but those
// that the parameters allow, read-only where they say so.
var hostPath = Policy{
	ID:         "host-path",
	Judges:     pods,
	Parameters: []string{"allowedHostPaths"},
	Check: func(s *Subject) (found []Finding) {
		for _, v := range s.Pod.Volumes {
			if !v.HostPath.Set {
				continue
			}
			at := s.spec().item("volumes", v.Index, v.Name+"="+v.HostPath.Value)
			switch allowed, readOnly := allowsHostPath(s.Parameters.AllowedHostPaths, v.HostPath.Value); {
			case !allowed:
				found = append(found, at.field("hostPath.path").found("mounts %q of the node", v.HostPath.Value))
			case readOnly:
				found = append(found, writableMounts(s, v)...)
			}
		}
		return found
	},
}

// allowsHostPath compares whole path elements, after "." and ".." are resolved. Of
// several that match, the longest counts.
func allowsHostPath(allowed []v1alpha1.AllowedHostPath, p string) (ok, readOnly bool) {
	p = path.Clean(p)
	longest := -1
	for _, a := range allowed {
		prefix := path.Clean(a.PathPrefix)
		within := p == prefix || strings.HasPrefix(p, strings.TrimSuffix(prefix, "/")+"/")
		switch {
		case within && len(prefix) > longest:
			longest, ok, readOnly = len(prefix), true, a.ReadOnly
		case within && len(prefix) == longest: // named twice: the stricter counts
			readOnly = readOnly || a.ReadOnly
		}
	}
	return ok, readOnly
}

// writableMounts finds the mounts of a volume that must be read-only and are not.
func writableMounts(s *Subject, v workload.Volume) (found []Finding) {
	for c := range s.Pod.Containers() {
		for i, m := range c.Mounts {
			if m.Volume == v.Name && !m.ReadOnly {
				at := s.container(c).item("volumeMounts", i, v.Name+"="+v.HostPath.Value)
				found = append(found, at.field("readOnly").found("mounts %q of the node writable, it is allowed read-only", v.HostPath.Value))
			}
		}
	}
	return found
}
