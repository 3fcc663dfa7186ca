//go:build linux

package sockets

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestListening(t *testing.T) {
	for _, network := range []string{"tcp4 127.0.0.1:0", "tcp6 [::1]:0"} {
		t.Run(network[:4], func(t *testing.T) {
			l, err := (&net.ListenConfig{}).Listen(t.Context(), network[:4], network[5:])
			if err != nil {
				t.Skip(err)
			}
			addr := netip.MustParseAddrPort(l.Addr().String())
			var dialer net.Dialer
			c, err := dialer.DialContext(t.Context(), network[:4], addr.String())
			if err != nil {
				t.Fatal(err)
			}
			client := netip.MustParseAddrPort(c.LocalAddr().String())
			list, err := Listening()
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(list, addr) {
				t.Errorf("%v is not in %v", addr, list)
			}
			if slices.Contains(list, client) {
				t.Errorf("%v is connected and in the list", client)
			}
			_, _ = c.Close(), l.Close()
			if list, _ = Listening(); slices.Contains(list, addr) {
				t.Errorf("%v is closed and in the list", addr)
			}
		})
	}
}

func message(kind uint16, question uint32, body []byte) []byte {
	m := make([]byte, unix.SizeofNlMsghdr, unix.SizeofNlMsghdr+len(body))
	binary.NativeEndian.PutUint32(m, uint32(len(m)+len(body)))
	binary.NativeEndian.PutUint16(m[4:], kind)
	binary.NativeEndian.PutUint32(m[8:], question)
	return append(m, body...)
}

func TestParse(t *testing.T) {
	socket := make([]byte, answerSize)
	socket[0], socket[4], socket[5], socket[8], socket[11] = unix.AF_INET, 0x28, 0x0f, 10, 5
	failure := binary.NativeEndian.AppendUint32(nil, 0xFFFFFFFF) // -EPERM
	absent := binary.NativeEndian.AppendUint32(nil, 0xFFFFFFFE)  // -ENOENT
	tests := map[string]struct {
		data []byte
		want int
		done bool
		err  bool
	}{
		"a socket":         {data: message(unix.SOCK_DIAG_BY_FAMILY, 2, socket), want: 1},
		"and the end":      {data: append(message(unix.SOCK_DIAG_BY_FAMILY, 2, socket), message(unix.NLMSG_DONE, 2, nil)...), want: 1, done: true},
		"another question": {data: message(unix.SOCK_DIAG_BY_FAMILY, 10, socket)},
		"an error":         {data: message(unix.NLMSG_ERROR, 2, failure), err: true},
		"no such family":   {data: message(unix.NLMSG_ERROR, 2, absent), done: true},
		"a short error":    {data: message(unix.NLMSG_ERROR, 2, nil), err: true},
		"a short socket":   {data: message(unix.SOCK_DIAG_BY_FAMILY, 2, socket[:20]), err: true},
		"a short header":   {data: []byte{1, 2, 3}, err: true},
		"no size":          {data: make([]byte, 16), err: true},
		"too large a size": {data: append([]byte{255, 255, 255, 255}, make([]byte, 12)...), err: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			list, done, err := parse(test.data, 2, nil)
			if len(list) != test.want || done != test.done || (err != nil) != test.err {
				t.Errorf("got %v, %v, %v", list, done, err)
			}
			if len(list) == 1 && list[0] != netip.MustParseAddrPort("10.0.0.5:10255") {
				t.Errorf("the address is %v", list[0])
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(message(unix.SOCK_DIAG_BY_FAMILY, 2, make([]byte, answerSize)))
	f.Add(message(unix.NLMSG_DONE, 2, nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		if list, _, _ := parse(data, 2, nil); len(list) > len(data)/answerSize {
			t.Errorf("%d sockets in %d bytes", len(list), len(data))
		}
	})
}

func BenchmarkListening(b *testing.B) {
	for b.Loop() {
		if _, err := Listening(); err != nil {
			b.Fatal(err)
		}
	}
}
