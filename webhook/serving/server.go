package serving

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// Server serves a handler over TLS until its context ends, then finishes the
// requests in flight.
type Server struct {
	Handler http.Handler
	// Address is host:port to listen on.
	Address string
	// CertDir holds tls.crt and tls.key, which are read again when they change.
	CertDir string
	// Drain is how long requests are still taken after the context has ended: twice as
	// long as it takes the cluster to notice that the replica is going.
	Drain time.Duration

	listening, waiting atomic.Bool
}

// patience is how long a request may take to arrive. The API server sends one at
// once and gives up after 3 s.
const patience = 5 * time.Second

// grace is how long requests in flight may take at the end. The API server gives
// none more than a few seconds.
const grace = 15 * time.Second

// suites are those of TLS 1.2 that have forward secrecy and authenticate what they encrypt:
// Go's own choice has older ones besides. Those of TLS 1.3 are all of that kind.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// debugLog takes what net/http says of clients that speak no TLS, which anybody may
// make it say as often as they like.
type debugLog struct{ logr.Logger }

func (l debugLog) Write(line []byte) (int, error) {
	l.V(1).Info("connection failed", "cause", strings.TrimSpace(string(line)))
	return len(line), nil
}

// Ready is an error until the server listens, and again when it drains.
func (s *Server) Ready() error {
	if s.waiting.Load() {
		return fmt.Errorf("not serving: %s has no tls.crt and tls.key that fit; hardgate-controller makes them, or cert-manager", s.CertDir)
	}
	if !s.listening.Load() {
		return errors.New("not serving: namespaces, accounts and policies are not read yet, or the process is ending")
	}
	return nil
}

// Run serves until ctx ends, once there is a certificate. The error is nil after an orderly end.
func (s *Server) Run(ctx context.Context) error {
	log := logf.FromContext(ctx).WithName("server")
	serving := &certificate{directory: s.CertDir}
	s.waiting.Store(true)
	if !serving.await(ctx) {
		return nil
	}
	s.waiting.Store(false)
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", s.Address)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", s.Address, err)
	}
	handler := &retiring{handler: s.Handler}
	server := &http.Server{
		Handler:           handler,
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       patience,
		WriteTimeout:      grace,
		ErrorLog:          stdlog.New(debugLog{log}, "", 0),
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		TLSConfig: &tls.Config{
			MinVersion:     tls.VersionTLS12,
			CipherSuites:   suites,
			GetCertificate: serving.get,
			NextProtos:     []string{"h2", "http/1.1"},
		},
	}
	following, stopFollowing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopFollowing()
	go serving.follow(following)
	ended := make(chan error, 1)
	go func() { ended <- server.ServeTLS(listener, "", "") }()
	s.listening.Store(true)
	log.Info("serving", "address", listener.Addr().String())

	select {
	case err := <-ended:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	s.listening.Store(false)
	log.Info("draining", "for", s.Drain.String())
	handler.drain(s.Drain)
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := server.Shutdown(finish); err != nil {
		return fmt.Errorf("finishing requests in flight: %w", err)
	}
	return nil
}
