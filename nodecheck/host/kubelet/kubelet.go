package kubelet

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/process"
	"github.com/hardgate-dev/hardgate/nodecheck/host/systemd"
)

// Kubelet is what is known of a node's kubelet.
type Kubelet struct {
	// Absent says why the node has no kubelet, and is empty if it has one.
	Absent string
	// Process is the running kubelet, or the program that contains it; nil where none
	// runs or none can be seen.
	Process *process.Process
	// Embedded is the program that contains the kubelet, such as k3s; empty for a
	// kubelet of its own.
	Embedded process.Name
	// Unit is the service that starts it; nil without one. UnitErr is why it cannot be
	// told.
	Unit    *systemd.Unit
	UnitErr error
	// Version is the kubelet's version where some path tells it.
	Version Version
	// VersionErr is why it may have been missed.
	VersionErr error

	now     *config  // by the flags of the process
	next    *config  // by the flags of the unit
	configz *running // by its own account
	err     error    // why neither now nor next is known
	// configzErr is why what was provided is no account.
	configzErr error
	silence    Silence // why there is none
	// changed says that the files of the running kubelet are not what it has read.
	changed  error
	files    []string // the configuration file and the drop-ins
	filesErr error
}

// Read finds the kubelet of a node. Where something cannot be told, it is an error
// of the values concerned.
func Read(h *host.Host) (*Kubelet, error) {
	return host.Memo(h, func(h *host.Host) (*Kubelet, error) { return read(h), nil })
}

func read(h *host.Host) *Kubelet {
	k := &Kubelet{}
	if body, ok := host.Provided[ConfigzBody](h); ok {
		k.configz, k.configzErr = readConfigz(body)
	} else {
		k.silence, _ = host.Provided[Silence](h)
	}
	k.findProcess(h)
	k.findUnit(h)
	k.absence(h)
	if k.Absent != "" {
		return k
	}
	var now, next *command
	if k.Embedded == "" {
		now, next = k.commands(h)
	}
	k.config(h, now, next)
	return k
}

// traces are where a kubelet is installed, and what one keeps whatever it is called.
var traces = []string{
	"/usr/bin/kubelet", "/usr/local/bin/kubelet", "/opt/bin/kubelet", "/usr/sbin/kubelet", "/usr/local/sbin/kubelet",
	"/home/kubernetes/bin/kubelet", "/usr/local/bin/k3s", "/opt/bin/k3s", "/snap/bin/microk8s",
	"/var/lib/kubelet",
}

// absence decides whether the node has no kubelet at all.
func (k *Kubelet) absence(h *host.Host) {
	if k.Process != nil || k.Unit != nil || k.UnitErr != nil || k.err != nil || k.configz != nil {
		return
	}
	for _, name := range traces {
		switch ok, err := h.Exists(name); {
		case err != nil:
			k.err = err
			return
		case ok:
			k.err = &host.Error{Path: name, Err: errNoStart}
			return
		}
	}
	k.Absent = "no kubelet runs here, no unit starts one and none is installed"
}

// commands returns how the kubelet was started, and how it would be.
func (k *Kubelet) commands(h *host.Host) (now, next *command) {
	if p := k.Process; p != nil && !errors.Is(k.err, errSeveral) {
		now = newCommand(p.Path, p.Args, p.Where)
		if info, err := h.Lstat(p.Dir() + "/cwd"); err == nil {
			now.dir = info.Link
		}
	}
	switch {
	case errors.Is(k.err, errSeveral):
		return nil, nil
	case k.UnitErr != nil:
		return now, &command{where: k.place(), err: k.UnitErr}
	case k.Unit == nil:
		return now, nil
	}
	next = unitCommand(h, k.Unit, process.Kubelet, errWrapped)
	next.dir = "/" // of every service that names none
	if dir, ok := k.Unit.Last("Service", "WorkingDirectory"); ok && dir.Value != "" {
		next.dir = strings.TrimPrefix(dir.Value, "-")
		if !path.IsAbs(next.dir) || strings.Contains(next.dir, "%") {
			next.dir = ""
		}
	}
	if now != nil && now.dir == "" && k.Process.Unit == k.Unit.Name {
		now.dir = next.dir
	}
	if now != nil && errors.Is(next.err, errWrapped) {
		next = nil // the process shows what came of it
	}
	return now, next
}

// unitCommand is how a unit starts a program. other is the error where it starts
// another one, whose arguments are not those of the program.
func unitCommand(h *host.Host, u *systemd.Unit, program process.Name, other error) *command {
	argv, where, err := u.Command(h)
	if err != nil {
		return &command{where: where, err: err}
	}
	name, args, ok := process.Program(argv)
	if !ok || name != program {
		return &command{where: where, err: &host.Error{Path: where, Err: other}}
	}
	return newCommand(argv[0], args, where)
}

// config works out the configuration for both.
func (k *Kubelet) config(h *host.Host, now, next *command) {
	var l layers
	for _, c := range []*command{now, next} {
		if c == nil {
			continue
		}
		if k.Version.Where == "" && c.err == nil {
			var err error
			if k.Version, err = version(h, c.path); err != nil {
				k.VersionErr = err
			}
		}
		if c == now || now == nil || !sameFiles(now, next) {
			l = c.files(h)
			if l.err == nil && len(l.dropIns) > 0 && k.Version.Major == 1 && k.Version.Minor == 28 {
				l.err = &host.Error{Path: l.dir, Err: errMerged}
			}
			k.filesErr = errors.Join(k.filesErr, l.pathsErr)
		}
		if c == now {
			k.now = effective(c, &l)
			k.changed = l.changed(h, k.Process.Started(h))
		} else {
			k.next = effective(c, &l)
		}
		for _, p := range l.paths {
			if !slices.Contains(k.files, p) {
				k.files = append(k.files, p)
			}
		}
	}
}

// sameFiles is whether two commands name the same files.
func sameFiles(a, b *command) bool {
	if a.err != nil || b.err != nil || a.dir != b.dir {
		return false
	}
	for _, name := range []string{FlagConfig, FlagConfigDir} {
		x, _ := a.last(name)
		if y, _ := b.last(name); x != y {
			return false
		}
	}
	return true
}
