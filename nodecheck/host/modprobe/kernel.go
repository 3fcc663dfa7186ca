package modprobe

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

const (
	modulesDir = "/lib/modules"
	// maxList bounds modules.dep; that of a distribution's kernel is below 1 MiB.
	maxList = 8 << 20
	// maxKernels bounds how many kernels on disk are looked at.
	maxKernels = 32
)

// kernel is the modules of one kernel on disk.
type kernel struct {
	release, dir string
	dep, builtin list
}

// kernels returns the running kernel and the directories of the others, or all where
// its release cannot be read or has no directory.
func kernels(h *host.Host) (found []*kernel, others []string, err error) {
	base := modulesDir
	entries, err := h.Dir(base)
	if errors.Is(err, fs.ErrNotExist) {
		// A copied tree may lack the link from /lib.
		base = "/usr/lib/modules"
		if all, err2 := h.Dir(base); err2 == nil {
			entries, err = all, nil
		}
	}
	if err != nil {
		return nil, nil, err
	}
	if running := release(h); running != "" {
		for _, e := range entries {
			if e.Name == running {
				found = append(found, readKernel(h, base, running))
			} else if e.Type == fs.ModeDir {
				others = append(others, base+"/"+e.Name)
			}
		}
		if len(found) > 0 {
			return found, others, nil
		}
	}
	for _, e := range entries {
		if e.Type != fs.ModeDir && e.Type != fs.ModeSymlink {
			continue
		}
		if len(found) == maxKernels {
			return nil, nil, tooMany(base)
		}
		k := readKernel(h, base, e.Name)
		if errors.Is(k.dep.err, fs.ErrNotExist) && errors.Is(k.builtin.err, fs.ErrNotExist) {
			continue // what a removed kernel left behind
		}
		found = append(found, k)
	}
	if len(found) == 0 {
		return nil, nil, &host.Error{Path: base, Err: errors.New("no kernel has a list of its modules here")}
	}
	return found, nil, nil
}

// readOthers passes over what a removed kernel left behind.
func readOthers(h *host.Host, dirs []string) (lists []list) {
	for _, dir := range dirs {
		if len(lists) == maxKernels {
			return append(lists, list{err: tooMany(modulesDir)})
		}
		if l := readList(h, dir+"/modules.dep"); !errors.Is(l.err, fs.ErrNotExist) {
			lists = append(lists, l)
		}
	}
	return lists
}

func tooMany(base string) error {
	return &host.Error{Path: base, Err: fmt.Errorf("%w: more than %d kernels", host.ErrTooLarge, maxKernels)}
}

func readKernel(h *host.Host, base, release string) *kernel {
	k := &kernel{release: release, dir: base + "/" + release}
	k.dep = readList(h, k.dir+"/modules.dep")
	if k.dep.err == nil && len(bytes.TrimSpace(k.dep.data)) == 0 {
		// As a depmod that failed leaves it; modprobe itself reads another file.
		k.dep.err = malformed(k.dep.path, "it is empty")
	}
	k.builtin = readList(h, k.dir+"/modules.builtin")
	return k
}

// release is that of the running kernel; empty if it is not known.
func release(h *host.Host) string {
	if f, err := h.File("/proc/sys/kernel/osrelease"); err == nil {
		return strings.TrimSpace(string(f.Data))
	}
	f, err := h.File("/proc/version")
	if err != nil {
		return ""
	}
	// Linux version 5.15.0-1064-azure (...)
	if fields := strings.Fields(string(f.Data)); len(fields) > 2 && fields[0] == "Linux" {
		return fields[2]
	}
	return ""
}

// presence asks for what is built in first: a file of the same name, as DKMS
// leaves one, does not take it out of the kernel.
func (k *kernel) presence(name string) (Presence, error) {
	if k.builtin.err == nil {
		if line := k.builtin.find(name); line > 0 {
			return Presence{Kind: Builtin, Place: Place{k.builtin.path, line}}, nil
		}
	}
	if k.dep.err == nil && (k.builtin.err == nil || errors.Is(k.builtin.err, fs.ErrNotExist)) {
		if line := k.dep.find(name); line > 0 {
			return Presence{Kind: Loadable, Place: Place{k.dep.path, line}}, nil
		}
	}
	return Presence{Kind: Absent, Place: Place{Path: k.dep.path}}, errors.Join(k.dep.err, k.builtin.err)
}

// list is a file with a module's path at the front of each line.
type list struct {
	path string
	data []byte
	// names has, at the hash of a module's name, where it begins in data, plus one.
	// The files have thousands of lines and a dozen are asked for: a map of strings
	// would cost more than all the rest of the scan.
	names []uint32
	err   error
}

func readList(h *host.Host, path string) list {
	f, err := h.Large(path, maxList)
	if err != nil {
		return list{path: path, err: err}
	}
	if bytes.IndexByte(f.Data, 0) >= 0 {
		return list{path: path, err: malformed(path, "a NUL byte")}
	}
	l := list{path: path, data: f.Data}
	l.index()
	return l
}
