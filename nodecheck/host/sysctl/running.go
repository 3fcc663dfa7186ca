package sysctl

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// ErrNamespace says that the values below /proc/sys/net are not the node's.
var ErrNamespace = errors.New("the values here are those of another network namespace than the node's: run with hostNetwork")

const procSys = "/proc/sys/"

// Running returns the value in force of a key of whole numbers, and where it is. A
// key below net is refused where the reader is not in the node's network namespace.
func Running(h *host.Host, key string) (value int, where string, err error) {
	where = procSys + key
	if strings.HasPrefix(key, "net/") {
		if _, err := host.Memo(h, network); err != nil {
			return 0, where, err
		}
	}
	f, err := h.File(where)
	if err != nil {
		return 0, where, err
	}
	value, ok := Int(string(f.Data))
	if !ok {
		return 0, where, &host.Error{Path: where, Err: host.ErrMalformed}
	}
	return value, where, nil
}

// checked says that the values of the network are the node's.
type checked struct{}

// network compares the reader's network namespace with that of the node's first
// process. A copied tree has no processes and needs no comparison.
func network(h *host.Host) (checked, error) {
	first, err := namespace(h, "/proc/1/net/netlink")
	if missing(err) && !live(h) {
		return checked{}, nil
	}
	if err != nil {
		return checked{}, err
	}
	// By its number: what is below it changes all the time, as with every process.
	self := "/proc/self"
	if info, err := h.Lstat(self); err == nil && info.Link != "" {
		self = "/proc/" + info.Link
	}
	own, err := namespace(h, self+"/net/netlink")
	if err != nil {
		return checked{}, err
	}
	if first != own {
		return checked{}, &host.Error{Path: "/proc/sys/net", Err: ErrNamespace}
	}
	return checked{}, nil
}

// live is whether /proc is a kernel's: there /proc/net is a link to the reader's own,
// also where other processes are hidden.
func live(h *host.Host) bool {
	info, err := h.Lstat("/proc/net")
	return err == nil && info.Type == fs.ModeSymlink
}

// namespace identifies a network namespace without the right to follow
// /proc/<pid>/ns/net: the kernel's own routing socket (protocol 0, port 0) is made
// with the namespace, and no other socket of the machine has its inode.
func namespace(h *host.Host, name string) (inode string, err error) {
	f, err := h.File(name)
	if err != nil {
		return "", err
	}
	for line := range f.Lines() {
		const protocol, port, last = 1, 2, 9
		fields := strings.Fields(line.Text)
		if len(fields) == last+1 && fields[protocol] == "0" && fields[port] == "0" && fields[last] != "0" {
			return fields[last], nil
		}
	}
	return "", &host.Error{Path: name, Err: errors.New("it does not show which network namespace it is of")}
}
