//go:build linux

package sockets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// The request and the answer of sock_diag(7), behind the header of netlink.
const (
	requestSize = 56 // struct inet_diag_req_v2
	answerSize  = 72 // struct inet_diag_msg
	listen      = 1 << 10
)

// The bounds of one question.
const (
	maxSockets = 10000
	patience   = 2 // seconds
)

var (
	errAnswer = errors.New("an answer that is not understood")
	errMany   = fmt.Errorf("more than %d sockets", maxSockets)
)

// Listening returns the addresses that something listens on.
func Listening() (list []netip.AddrPort, err error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return nil, fmt.Errorf("asking for sockets: %w", err)
	}
	defer func() { _ = unix.Close(fd) }() // nothing is written to it
	wait := unix.NsecToTimeval(int64(patience * time.Second))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		return nil, fmt.Errorf("asking for sockets: %w", err)
	}
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		if list, err = ask(fd, family, list); err != nil {
			return nil, fmt.Errorf("asking for sockets: %w", err)
		}
	}
	return list, nil
}

// ask adds the sockets of one family.
func ask(fd int, family byte, list []netip.AddrPort) ([]netip.AddrPort, error) {
	request := make([]byte, unix.SizeofNlMsghdr+requestSize)
	native := binary.NativeEndian
	native.PutUint32(request[0:], uint32(len(request)))
	native.PutUint16(request[4:], unix.SOCK_DIAG_BY_FAMILY)
	native.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	native.PutUint32(request[8:], uint32(family)) // the number of the question
	body := request[unix.SizeofNlMsghdr:]
	body[0], body[1] = family, unix.IPPROTO_TCP
	native.PutUint32(body[4:], listen)
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, err
	}
	buf := make([]byte, 32<<10)
	for {
		n, _, flags, from, err := unix.Recvmsg(fd, buf, nil, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if kernel, ok := from.(*unix.SockaddrNetlink); !ok || kernel.Pid != 0 {
			continue // of another process
		}
		if flags&unix.MSG_TRUNC != 0 {
			return nil, errAnswer
		}
		var done bool
		if list, done, err = parse(buf[:n], uint32(family), list); done || err != nil {
			return list, err
		}
		if len(list) > maxSockets {
			return nil, errMany
		}
	}
}

// parse adds what one datagram tells, and reports whether it is the last one.
func parse(data []byte, question uint32, list []netip.AddrPort) (_ []netip.AddrPort, done bool, err error) {
	native := binary.NativeEndian
	for len(data) >= unix.SizeofNlMsghdr {
		size := native.Uint32(data)
		if size < unix.SizeofNlMsghdr || uint64(size) > uint64(len(data)) {
			return nil, false, errAnswer
		}
		kind, number, body := native.Uint16(data[4:]), native.Uint32(data[8:]), data[unix.SizeofNlMsghdr:size]
		data = data[min(len(data), (int(size)+3)&^3):]
		switch {
		case number != question:
		case kind == unix.NLMSG_DONE:
			return list, true, nil
		case kind == unix.NLMSG_ERROR:
			if len(body) < 4 {
				return nil, false, errAnswer
			}
			no := -int32(native.Uint32(body)) // the kernel puts a negative number in it
			if errno := unix.Errno(no); errno == unix.ENOENT {
				return list, true, nil // a kernel without this family
			} else if no != 0 {
				return nil, false, errno
			}
		case kind == unix.SOCK_DIAG_BY_FAMILY:
			addr, ok := address(body)
			if !ok {
				return nil, false, errAnswer
			}
			list = append(list, addr)
		}
	}
	if len(data) > 0 {
		return nil, false, errAnswer
	}
	return list, false, nil
}

// address is where a socket listens: family, state, timer and retransmissions come
// first, then the ports and the addresses, in the order of the network.
func address(body []byte) (netip.AddrPort, bool) {
	if len(body) < answerSize {
		return netip.AddrPort{}, false
	}
	port := binary.BigEndian.Uint16(body[4:])
	switch body[0] {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(body[8:12])), port), true
	case unix.AF_INET6:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(body[8:24])).Unmap(), port), true
	}
	return netip.AddrPort{}, false
}
