package drills

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// wire is the way from the API server to etcd. What is sent over it arrives later by a
// delay that can be set.
type wire struct {
	listener net.Listener
	// to is asked for the address at each connection: etcd chooses its port when it starts.
	to    func() (string, error)
	delay atomic.Int64
	under sync.WaitGroup
}

func lay(ctx context.Context, to func() (string, error)) (*wire, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &wire{listener: l, to: to}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	w.under.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			w.under.Go(func() { w.carry(ctx, from.(*net.TCPConn)) })
		}
	})
	return w, nil
}

func (w *wire) url() string { return "https://" + w.listener.Addr().String() }

// set makes what is sent from now on arrive later by d, each way.
func (w *wire) set(d time.Duration) { w.delay.Store(int64(d)) }

func (w *wire) carry(ctx context.Context, from *net.TCPConn) {
	address, err := w.to()
	if err != nil {
		_ = from.Close()
		return
	}
	to, err := (&net.Dialer{}).DialContext(ctx, "tcp4", address)
	if err != nil {
		_ = from.Close()
		return
	}
	pump(ctx, from, to.(*net.TCPConn), w.late)
}

// late carries one way. It reads on while what was read before is still under way.
func (w *wire) late(to, from *net.TCPConn) error {
	type chunk struct {
		bytes []byte
		due   time.Time
	}
	under := make(chan chunk, 4096)
	ended := make(chan error, 1)
	go func() {
		var err error
		for c := range under {
			time.Sleep(time.Until(c.due))
			if err == nil {
				_, err = to.Write(c.bytes)
			}
		}
		ended <- err
	}()
	var err error
	for err == nil {
		bytes := make([]byte, 32<<10)
		var n int
		n, err = from.Read(bytes)
		if n > 0 {
			under <- chunk{bytes[:n], time.Now().Add(time.Duration(w.delay.Load()))}
		}
	}
	close(under)
	return <-ended
}

// pump carries bytes both ways by carry, until both sides have ended, one has broken, or
// ctx ends.
func pump(ctx context.Context, a, b *net.TCPConn, carry func(to, from *net.TCPConn) error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _, _ = a.Close(), b.Close() })()
	var both sync.WaitGroup
	for _, way := range [][2]*net.TCPConn{{a, b}, {b, a}} {
		both.Go(func() {
			if carry(way[0], way[1]) != nil {
				cancel()
			}
			_ = way[0].CloseWrite() // it may be gone
		})
	}
	both.Wait()
	_, _ = a.Close(), b.Close()
}
