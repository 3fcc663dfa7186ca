package process

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// place finds out whose a process is, and which process is its parent.
func (p *Process) place(h *host.Host) error {
	p.Root = true
	status, err := h.File(p.Dir() + "/status")
	if err == nil {
		for line := range status.Lines() {
			key, value, _ := strings.Cut(line.Text, ":")
			fields := strings.Fields(value)
			switch key {
			case "PPid":
				if len(fields) > 0 {
					p.Parent, _ = strconv.Atoi(fields[0]) // the kernel writes a number
				}
			case "Uid": // real, effective, saved, file system
				p.Root = len(fields) > 1 && fields[1] == "0"
			case "NSpid": // its number in each namespace, the node's first
				p.Depth = max(0, len(fields)-1)
			}
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	cgroup, err := h.File(p.Dir() + "/cgroup")
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	p.Pod = podOf(string(cgroup.Data))
	if p.Pod == "" && p.Depth == 0 {
		p.Unit = unitOf(string(cgroup.Data))
	}
	return nil
}

// podOf finds the UID of a pod in the path of a control group, as the two drivers
// write it: ".../kubepods/besteffort/pod<uid>/..." and
// ".../kubepods-besteffort-pod<uid with underscores>.slice/...". Of a container that
// has pods of its own, the innermost pod is meant. A static pod has a hash for a UID.
func podOf(cgroup string) string {
	const uuid, hash = 36, 32
	rest := cgroup
	if !strings.Contains(cgroup, "kubepods") {
		return ""
	}
	for {
		i := strings.LastIndex(rest, "pod")
		if i < 0 {
			return "unknown"
		}
		uid := rest[i+len("pod"):]
		if end := strings.IndexFunc(uid, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef-_", r) }); end >= 0 {
			uid = uid[:end]
		}
		if len(uid) == uuid || len(uid) == hash {
			return strings.ReplaceAll(uid, "_", "-")
		}
		rest = rest[:i]
	}
}

// unitOf finds the service in the path of a control group:
// "0::/system.slice/kubelet.service". The innermost one is meant: around a container
// with a system of its own there may be that of the container's runtime.
func unitOf(cgroup string) (unit string) {
	for line := range strings.SplitSeq(cgroup, "\n") {
		for element := range strings.SplitSeq(line, "/") {
			if strings.HasSuffix(element, ".service") {
				unit = element
			}
		}
		if unit != "" {
			break
		}
	}
	return unit
}
