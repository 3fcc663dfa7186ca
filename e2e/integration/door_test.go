package integration

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// door stands between a client and a server on loopback, and can be shut.
type door struct {
	t      *testing.T
	target string
	port   string

	mu       sync.Mutex
	listener net.Listener
	conns    []net.Conn
}

func newDoor(t *testing.T, server string) *door {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{t: t, target: u.Host, port: "0"}
	d.open()
	t.Cleanup(d.shut)
	return d
}

func (d *door) url() string { return "https://127.0.0.1:" + d.port }

func (d *door) open() {
	d.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:"+d.port)
	if err != nil {
		d.t.Fatal(err)
	}
	if _, d.port, err = net.SplitHostPort(l.Addr().String()); err != nil {
		d.t.Fatal(err)
	}
	d.mu.Lock()
	d.listener = l
	d.mu.Unlock()
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return // shut
			}
			out, err := net.Dial("tcp", d.target)
			if err != nil {
				_ = in.Close()
				continue
			}
			d.mu.Lock()
			d.conns = append(d.conns, in, out)
			d.mu.Unlock()
			go pipe(in, out)
			go pipe(out, in)
		}
	}()
}

func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
}

// shut ends all connections and takes no more.
func (d *door) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = d.listener.Close()
	for _, c := range d.conns {
		_ = c.Close()
	}
	d.conns = nil
}

// ctxOf is a context for what is to be done when a test has ended.
func ctxOf(t *testing.T) context.Context {
	t.Helper()
	return context.WithoutCancel(t.Context())
}
