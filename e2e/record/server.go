package record

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	admissionv1 "k8s.io/api/admission/v1"

	"github.com/hardgate-dev/hardgate/e2e/pki"
)

// server is a webhook that remembers the bodies it was sent.
type server struct {
	url  string
	ca   []byte
	http *http.Server
	done chan error

	mu     sync.Mutex
	bodies [][]byte
}

// newServer listens on a free port of the loopback.
func newServer() (*server, error) {
	ca, err := pki.NewAuthority("recorder")
	if err != nil {
		return nil, err
	}
	pair, err := ca.Loopback("recorder")
	if err != nil {
		return nil, err
	}
	cert, err := tls.X509KeyPair(pair.CertPEM, pair.KeyPEM)
	if err != nil {
		return nil, fmt.Errorf("starting the recorder: %w", err)
	}
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("starting the recorder: %w", err)
	}
	s := &server{url: "https://" + l.Addr().String(), ca: ca.CertPEM, done: make(chan error, 1)}
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.record),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { s.done <- s.http.ServeTLS(l, "", "") }()
	return s, nil
}

// close ends the server and waits for it.
func (s *server) close() error {
	if err := errors.Join(s.http.Close(), <-s.done); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (s *server) record(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(body, &review); err != nil || review.Request == nil {
		http.Error(w, fmt.Sprintf("not an AdmissionReview: %v", err), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.bodies = append(s.bodies, body)
	s.mu.Unlock()
	review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	review.Request = nil
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(review); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// take returns the bodies since the last call.
func (s *server) take() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	bodies := s.bodies
	s.bodies = nil
	return bodies
}
