// Package relay makes a server on this machine's loopback reachable at the same
// address inside an enclosure, which has a network of its own: what names the
// server, such as a kubeconfig, is right on both sides.
package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Listen listens at an address inside: in carries a function into the enclosure's
// network. The socket stays there, whoever accepts its connections. The interface
// may have yet to be given the address.
func Listen(ctx context.Context, in func(func() error) error, address string) (net.Listener, error) {
	early := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var set error
		err := c.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_FREEBIND, 1) })
		return errors.Join(err, set)
	}}
	var l net.Listener
	err := in(func() (err error) {
		l, err = early.Listen(ctx, "tcp4", address)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("relaying %s: %w", address, err)
	}
	return l, nil
}

// Serve hands what connects to l on to the server at an address on this side, until
// ctx ends, and closes l. A server that does not answer is none to those who connect:
// they try again, as they would without a relay.
func Serve(ctx context.Context, l net.Listener, address string) error {
	var under sync.WaitGroup
	defer under.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	for {
		from, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return errors.Join(fmt.Errorf("relaying %s: %w", address, err), l.Close())
		}
		under.Go(func() { join(ctx, from, address) })
	}
}

// join carries bytes both ways until one side has ended, or ctx.
func join(ctx context.Context, from net.Conn, address string) {
	defer func() { _ = from.Close() }()
	to, err := (&net.Dialer{}).DialContext(ctx, "tcp4", address)
	if err != nil {
		return
	}
	defer func() { _ = to.Close() }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var both sync.WaitGroup
	for _, pair := range [][2]net.Conn{{from, to}, {to, from}} {
		both.Go(func() {
			// One direction may end before the other, as TLS has it.
			if _, err := io.Copy(pair[0], pair[1]); err != nil {
				cancel()
			}
			if half, ok := pair[0].(*net.TCPConn); ok {
				_ = half.CloseWrite() // the other end may be gone
			}
		})
	}
	defer context.AfterFunc(ctx, func() { _, _ = from.Close(), to.Close() })()
	both.Wait()
}
