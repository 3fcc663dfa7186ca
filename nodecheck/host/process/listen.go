package process

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strconv"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Listener is a TCP port that something listens on.
type Listener struct {
	netip.AddrPort
	Where string
}

// Listeners are the TCP ports that something listens on in the node's own network
// namespace, as the kernel tells them over netlink. Hand them to a scan with
// host.Provide.
type Listeners []netip.AddrPort

// maxSockets bounds a table of sockets, in bytes. The listening ones come first, but
// a file is read whole or not at all, and on a busy node it is a large one.
const maxSockets = 256 << 10

// Listening returns what listens in the network namespace of a process, the process
// itself or another. The tables of a process are those of its own namespace, whoever
// reads them; but it takes the kernel milliseconds to write one, so that they are
// not for a scan that follows another: that one knows what was provided, or nothing.
// An error means that there may be more.
func (p *Process) Listening(h *host.Host) (list []Listener, err error) {
	if given, ok := host.Provided[Listeners](h); ok {
		for _, addr := range given {
			list = append(list, Listener{addr, "/proc/net/tcp"})
		}
		return list, nil
	}
	if _, ok := host.Provided[Known](h); ok {
		return nil, nil
	}
	for _, name := range []string{"/net/tcp", "/net/tcp6"} {
		f, e := h.Large(p.Dir()+name, maxSockets)
		if errors.Is(e, fs.ErrNotExist) {
			continue // a kernel without IPv6
		}
		if e != nil {
			err = errors.Join(err, e)
			continue
		}
		found, e := listening(f)
		list, err = append(list, found...), errors.Join(err, e)
	}
	return list, err
}

// listening reads a table as proc_net_tcp(5) describes it.
func listening(f *host.File) (list []Listener, err error) {
	const listen = "0A"
	for line := range f.Lines() {
		fields := strings.Fields(line.Text)
		if len(fields) < 4 || line.N == 1 || fields[3] != listen {
			continue
		}
		addr, ok := address(fields[1])
		if !ok {
			return list, &host.Error{Path: f.At(line.N), Err: fmt.Errorf("%w: an address", host.ErrMalformed)}
		}
		list = append(list, Listener{addr, f.At(line.N)})
	}
	return list, nil
}

// address reads "0100007F:2800": words of four bytes, each the wrong way round on
// the machines that Kubernetes runs on, then the port.
func address(s string) (netip.AddrPort, bool) {
	ip, port, _ := strings.Cut(s, ":")
	b, err := hex.DecodeString(ip)
	if err != nil || len(b)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(b); i += 4 {
		b[i], b[i+1], b[i+2], b[i+3] = b[i+3], b[i+2], b[i+1], b[i]
	}
	addr, ok := netip.AddrFromSlice(b)
	n, err := strconv.ParseUint(port, 16, 16)
	return netip.AddrPortFrom(addr.Unmap(), uint16(n)), ok && err == nil
}
