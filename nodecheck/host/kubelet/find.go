package kubelet

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/process"
	"github.com/hardgate-dev/hardgate/nodecheck/host/systemd"
)

var (
	errEmbedded  = errors.New("the kubelet is part of it and shows no flags")
	errContained = errors.New("it is the kubelet of a container, not of this machine")
	errSeveral   = errors.New("more than one kubelet runs")
	errNoStart   = errors.New("a kubelet is or was installed, and what starts it is not known")
	errWrapped   = errors.New("the unit starts another program, which may start the kubelet")
	errMerged    = errors.New("the defaults of drop-ins replace what is set before them in version 1.28")
	// An account of its own may be that of a cluster without root.
	errUnprivileged = errors.New("it does not run as root, and whether it is the node's kubelet is not known")
)

// findProcess chooses among the processes.
func (k *Kubelet) findProcess(h *host.Host) {
	table, err := process.Read(h)
	if err != nil {
		k.err = err
		return
	}
	var contained, unprivileged *process.Process
	for _, p := range table.Named(process.Kubelet) {
		switch {
		case slices.ContainsFunc(p.Args, prints): // and exits
		case p.Depth > 0 || p.Pod != "":
			contained = p
		case !p.Root: // anyone may call a process kubelet
			unprivileged = p
		case k.Process != nil:
			k.err = &host.Error{Path: p.Where, Err: fmt.Errorf("%w: %d and %d", errSeveral, k.Process.PID, p.PID)}
		default:
			k.Process = p
		}
	}
	if k.Process != nil {
		return
	}
	for _, name := range process.Embedding {
		for _, p := range table.Named(name) {
			switch {
			case p.Depth > 0 || p.Pod != "":
				contained = p
			case !p.Root:
				unprivileged = p
			default:
				k.Process, k.Embedded = p, name
				k.err = &host.Error{Path: p.Where, Err: errEmbedded}
				return
			}
		}
	}
	switch {
	case table.Err != nil:
		k.err = table.Err
	case contained != nil:
		k.err = &host.Error{Path: contained.Where, Err: errContained}
	case unprivileged != nil:
		k.err = &host.Error{Path: unprivileged.Where, Err: errUnprivileged}
	}
}

// prints is whether a flag makes the kubelet print something and exit.
func prints(arg string) bool {
	return slices.Contains([]string{"--version", "--version=true", "--version=raw", "--help", "-h"}, arg)
}

// embedding are the units of programs that contain a kubelet, or start one and have
// no name here.
var embedding = []struct {
	unit string
	name process.Name
}{
	{"k3s.service", process.K3s},
	{"k3s-agent.service", process.K3s},
	{"snap.microk8s.daemon-kubelite.service", process.Kubelite},
	{"microshift.service", process.MicroShift},
	{"edgecore.service", process.EdgeCore},
	{"rke2-server.service", ""},
	{"rke2-agent.service", ""},
	{"k0sworker.service", ""},
}

// findUnit finds the service that starts the kubelet: that of the process, whatever
// it is called, or the one of the usual name.
func (k *Kubelet) findUnit(h *host.Host) {
	var names []string
	if p := k.Process; p != nil && p.Unit != "" {
		names = append(names, p.Unit)
	}
	if k.Embedded == "" {
		names = append(names, "kubelet.service")
	}
	for _, name := range names {
		if k.readUnit(h, name) {
			return
		}
	}
	if k.Process != nil && k.Embedded == "" {
		return
	}
	for _, e := range embedding {
		if k.Embedded != "" && k.Embedded != e.name {
			continue
		}
		if k.readUnit(h, e.unit) {
			if k.Embedded == "" && k.err == nil {
				k.err = &host.Error{Path: k.place(), Err: errEmbedded}
			}
			k.Embedded = e.name
			return
		}
	}
}

// readUnit reports whether there is a unit of a name, readable or not.
func (k *Kubelet) readUnit(h *host.Host, name string) bool {
	u, err := systemd.Read(h, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err == nil && u.Masked {
		return false // it starts nothing
	}
	k.Unit, k.UnitErr = u, err
	return true
}

func (k *Kubelet) place() string {
	if k.Unit != nil {
		return k.Unit.Path
	}
	return "kubelet.service"
}
