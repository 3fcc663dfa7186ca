package serving

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A pod may start before its Secret is made, or while it is broken: it waits, says so, and
// serves as soon as there is a certificate.
func TestServerWaitsForItsCertificate(t *testing.T) {
	s := &Server{CertDir: t.TempDir(), Address: freeAddress(t), Handler: http.NotFoundHandler()}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	waits := func() bool {
		err := s.Ready()
		return err != nil && strings.Contains(err.Error(), "has no tls.crt and tls.key that fit")
	}
	for !waits() {
		time.Sleep(time.Millisecond)
	}
	if err := os.WriteFile(filepath.Join(s.CertDir, "tls.crt"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		t.Fatalf("it has ended: %v", err)
	case <-time.After(waitInterval + waitInterval/2):
	}
	if !waits() {
		t.Errorf("with half a certificate it says: %v", s.Ready())
	}
	writeCertificate(t, s.CertDir, "x")
	for began := time.Now(); s.Ready() != nil; time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal(s.Ready())
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// What is told to end while it waits ends, and that is no error.
func TestServerEndsWhileItWaits(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (&Server{CertDir: t.TempDir(), Address: "127.0.0.1:0"}).Run(ctx); err != nil {
		t.Error(err)
	}
}

// A certificate is replaced under load: no request is lost, connections that stand go on
// with the old one, and new ones get the new one.
func TestRenewalUnderLoad(t *testing.T) {
	dir := t.TempDir()
	old := writeCertificate(t, dir, "old")
	c := &certificate{directory: dir}
	if err := c.load(); err != nil {
		t.Fatal(err)
	}
	var handshakes atomic.Int32
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		handshakes.Add(1)
		return c.get(h)
	}})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) })}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	address := listener.Addr().String()
	client := func(pool *x509.CertPool) *http.Client {
		transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}}
		t.Cleanup(transport.CloseIdleConnections)
		return &http.Client{Transport: transport}
	}
	standing := client(old)
	ask := func(c *http.Client) {
		if text, err := get(t, c, address); err != nil || text != "HTTP/2.0 ok" {
			t.Errorf("%q, %v", text, err)
		}
	}
	ask(standing)
	var clients sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					ask(standing)
				}
			}
		})
	}
	renewed := writeCertificate(t, dir, "new")
	if err := c.load(); err != nil {
		t.Fatal(err)
	}
	before := handshakes.Load()
	ask(client(renewed))
	time.Sleep(50 * time.Millisecond)
	close(stop)
	clients.Wait()
	if n := handshakes.Load() - before; n != 1 {
		t.Errorf("%d handshakes after the renewal, want that of the new client only", n)
	}
	if _, err := get(t, client(old), address); err == nil {
		t.Error("a new connection gets the old certificate")
	}
}
