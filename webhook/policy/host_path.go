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
		var mounts map[string][]mount // made once: both lists may be long
		for _, v := range s.Pod.Volumes {
			if !v.HostPath.Set {
				continue
			}
			if mounts == nil {
				mounts = mountsByVolume(s)
			}
			switch allowed, readOnly := allowsHostPath(s.Parameters.AllowedHostPaths, v.HostPath.Value); {
			case !allowed:
				found = append(found, forbiddenVolume(s, v, mounts[v.Name])...)
			case readOnly:
				found = append(found, writableMounts(s, v, mounts[v.Name])...)
			}
		}
		return found
	},
}

// mount is a mount with its place.
type mount struct {
	container *workload.Container
	index     int
	readOnly  bool
}

func mountsByVolume(s *Subject) map[string][]mount {
	mounts := make(map[string][]mount)
	for c := range s.Pod.Containers() {
		for i, m := range c.Mounts {
			mounts[m.Volume] = append(mounts[m.Volume], mount{c, i, m.ReadOnly})
		}
	}
	return mounts
}

// forbiddenVolume finds a volume once for every container that mounts it: a further
// container is a new fault, and so is a mount that becomes writable.
func forbiddenVolume(s *Subject, v workload.Volume, mounts []mount) (found []Finding) {
	at := s.spec().item("volumes", v.Index, v.Name+"="+v.HostPath.Value).field("hostPath.path")
	volume := at.same()
	if len(mounts) == 0 {
		return []Finding{at.found("mounts %q of the node", v.HostPath.Value)}
	}
	writable := make(map[*workload.Container]bool)
	var containers []*workload.Container
	for _, m := range mounts {
		if _, known := writable[m.container]; !known {
			containers = append(containers, m.container)
		}
		writable[m.container] = writable[m.container] || !m.readOnly
	}
	for _, c := range containers {
		into := at.worth(" in " + c.List + "[" + c.Name + "]")
		f := into.found("mounts %q of the node read-only into container %q", v.HostPath.Value, c.Name)
		f.Kin = &Kin{Weaker: []string{volume}}
		if writable[c] {
			f.Kin.Weaker = append(f.Kin.Weaker, f.Same)
			f.Same += ", writable"
			f.Detail = into.found("mounts %q of the node into container %q", v.HostPath.Value, c.Name).Detail
		}
		found = append(found, f)
	}
	return found
}

// allowsHostPath compares whole path elements, after "." and ".." are resolved. Of
// several that match, the longest counts. A backslash parts elements on Windows
// nodes and not elsewhere, so that nothing can be said of a path that has one.
func allowsHostPath(allowed []v1alpha1.AllowedHostPath, p string) (ok, readOnly bool) {
	if strings.Contains(p, `\`) {
		return false, false
	}
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
func writableMounts(s *Subject, v workload.Volume, mounts []mount) (found []Finding) {
	for _, m := range mounts {
		if !m.readOnly {
			at := s.container(m.container).item("volumeMounts", m.index, v.Name+"="+v.HostPath.Value)
			found = append(found, at.field("readOnly").found("mounts %q of the node writable, it is allowed read-only", v.HostPath.Value))
		}
	}
	return found
}
