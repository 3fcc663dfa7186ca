package modprobe

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Monolithic is whether the running kernel was built without loadable modules, as
// those of some micro virtual machines are: /proc/modules and modules_disabled are
// there in every kernel that has any. The release tells that this is the /proc of a
// kernel and not a part of one that was copied.
func Monolithic(h *host.Host) bool {
	for _, present := range []string{"/proc/sys/kernel/osrelease", filesystemsPath, "/proc/version"} {
		if _, err := h.File(present); err != nil {
			return false
		}
	}
	for _, absent := range []string{loadedPath, "/proc/sys/kernel/modules_disabled"} {
		if _, err := h.Stat(absent); !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}

// Where a kernel lists what it has.
const (
	filesystemsPath = "/proc/filesystems"
	protocolsPath   = "/proc/net/protocols"
)

// trace is where a module shows once it is in the kernel: the last word of a line of
// /proc/filesystems, the first of /proc/net/protocols, or a path.
type trace struct{ filesystem, protocol, path string }

var traces = map[string]trace{
	"cramfs": {filesystem: "cramfs"}, "freevxfs": {filesystem: "vxfs"}, "jffs2": {filesystem: "jffs2"},
	"hfs": {filesystem: "hfs"}, "hfsplus": {filesystem: "hfsplus"},
	"dccp": {protocol: "DCCP"}, "sctp": {protocol: "SCTP"}, "rds": {protocol: "RDS"}, "tipc": {protocol: "TIPC"},
	"usb_storage": {path: "/sys/bus/usb/drivers/usb-storage"}, "firewire_core": {path: "/sys/bus/firewire"},
	"floppy": {path: "/sys/bus/platform/drivers/floppy"}, "bluetooth": {path: "/sys/class/bluetooth"},
}

var errNoTrace = errors.New("the kernel has no loadable modules, and whether this one is built in does not show")

// InKernel is whether the running kernel has the code of a module, loaded or built in,
// and where that shows. An error means that it would not show.
func InKernel(h *host.Host, name string) (bool, Place, error) {
	t, ok := traces[Canonical(name)]
	switch {
	case !ok:
		return false, Place{}, &host.Error{Path: filesystemsPath, Err: errNoTrace}
	case t.path != "":
		if _, err := h.Dir("/sys/bus"); err != nil { // without sysfs nothing shows
			return false, Place{}, err
		}
		found, err := h.Exists(t.path)
		return found, Place{Path: t.path}, err
	case t.protocol != "":
		return listed(h, protocolsPath, func(line string) bool {
			first, _, _ := strings.Cut(line, " ")
			return strings.TrimSuffix(first, "v6") == t.protocol
		})
	}
	return listed(h, filesystemsPath, func(line string) bool {
		return line[strings.LastIndexByte(line, '\t')+1:] == t.filesystem // "nodev", if at all, comes before
	})
}

func listed(h *host.Host, path string, is func(line string) bool) (bool, Place, error) {
	f, err := h.File(path)
	if err != nil {
		return false, Place{}, err
	}
	for line := range f.Lines() {
		if is(line.Text) {
			return true, Place{Path: path, Line: line.N}, nil
		}
	}
	return false, Place{Path: path}, nil
}
