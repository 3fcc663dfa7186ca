package relay

import (
	"context"
	"io"
	"net"
	"testing"
	"time"
)

// here is an enclosure that is none.
func here(do func() error) error { return do() }

// start relays to a server and returns the address for those who connect.
func start(t *testing.T, server string) string {
	t.Helper()
	l, err := Listen(t.Context(), here, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, server) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(5 * time.Second):
			t.Error("it does not end")
		}
	})
	return l.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func dial(t *testing.T, address string) *net.TCPConn {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(t.Context(), "tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

// A request that has ended is answered all the same: one direction outlives the other.
func TestOneDirectionEndsFirst(t *testing.T) {
	server := listen(t)
	go func() {
		conn, err := server.Accept()
		if err != nil {
			return
		}
		text, _ := io.ReadAll(conn)
		_, _ = conn.Write(append([]byte("you said "), text...))
		_ = conn.Close()
	}()
	conn := dial(t, start(t, server.Addr().String()))
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); err != nil || string(got) != "you said hello" {
		t.Errorf("%q, %v", got, err)
	}
}

// The end of the relay ends what is under way, as a watch that nobody writes to.
func TestEndsWhatIsUnderWay(t *testing.T) {
	server := listen(t)
	conn := dial(t, start(t, server.Addr().String())) // start asserts that it ends
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
}

// A server that is away is to a client what it would be without a relay, and is found
// when it is back.
func TestServerIsAway(t *testing.T) {
	server := listen(t)
	address := server.Addr().String()
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	through := start(t, address)
	if _, err := dial(t, through).Read(make([]byte, 1)); err == nil {
		t.Error("a server that is away answers")
	}
	back, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", address)
	if err != nil {
		t.Skipf("another program has taken the port: %v", err)
	}
	t.Cleanup(func() { _ = back.Close() })
	go func() {
		if conn, err := back.Accept(); err == nil {
			_, _ = conn.Write([]byte("!"))
			_ = conn.Close()
		}
	}()
	if got, err := io.ReadAll(dial(t, through)); err != nil || string(got) != "!" {
		t.Errorf("%q, %v", got, err)
	}
}
