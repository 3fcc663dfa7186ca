package configz

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

// certificate makes a certificate of its own signing.
func certificate(t *testing.T, name string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// kubelet serves at a port and counts the requests that reach it.
func kubelet(t *testing.T, cert tls.Certificate, answer http.HandlerFunc) (port int, asked *atomic.Int32) {
	t.Helper()
	asked = &atomic.Int32{}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answer(w, r)
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().(*net.TCPAddr).Port, asked
}

const config = `{"kubeletconfig":{"authentication":{}}}`

func TestGet(t *testing.T) {
	own, ownPEM := certificate(t, "node")
	other, otherPEM := certificate(t, "node")
	key := "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"
	both := own
	both.Certificate = [][]byte{other.Certificate[0], own.Certificate[0]}
	both.PrivateKey = other.PrivateKey
	fine := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/configz" || r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(config))
	}
	const rotated, signed = "-- var/lib/kubelet/pki/kubelet-server-current.pem --\n", "-- var/lib/kubelet/pki/kubelet.crt --\n"
	for name, c := range map[string]struct {
		tree   string
		cert   tls.Certificate
		answer http.HandlerFunc
		more   []string
		err    string // empty: the configuration is returned
		asked  int32
	}{
		"signed by itself":          {tree: signed + ownPEM, cert: own, answer: fine, asked: 1},
		"rotated":                   {tree: rotated + ownPEM + key, cert: own, answer: fine, asked: 1},
		"key first":                 {tree: rotated + key + ownPEM, cert: own, answer: fine, asked: 1},
		"both, the second in use":   {tree: rotated + otherPEM + signed + ownPEM, cert: own, answer: fine, asked: 1},
		"elsewhere":                 {tree: "-- etc/kubernetes/certs/kubelet.crt --\n" + ownPEM, cert: own, answer: fine, more: []string{"/etc/kubernetes/certs/kubelet.crt"}, asked: 1},
		"stranger":                  {tree: signed + ownPEM, cert: other, answer: fine, err: errStranger.Error()},
		"stranger with ours behind": {tree: signed + ownPEM, cert: both, answer: fine, err: errStranger.Error()},
		"no certificate":            {tree: "-- etc/x --\n", cert: own, answer: fine, err: "none is found"},
		"not a certificate":         {tree: signed + key, cert: own, answer: fine, err: "none is found"},
		"forbidden":                 {tree: signed + ownPEM, cert: own, answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, err: "403", asked: 1},
		"sent elsewhere":            {tree: signed + ownPEM, cert: own, answer: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, err: "302", asked: 1},
		"not JSON":                  {tree: signed + ownPEM, cert: own, answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{")) }, err: "not JSON", asked: 1},
		"endless": {tree: signed + ownPEM, cert: own, answer: func(w http.ResponseWriter, _ *http.Request) {
			for range 2000 {
				_, _ = w.Write(bytes.Repeat([]byte(" "), 1024))
			}
		}, err: "more than", asked: 1},
	} {
		t.Run(name, func(t *testing.T) {
			tree, err := hosttest.Text(c.tree)
			if err != nil {
				t.Fatal(err)
			}
			port, asked := kubelet(t, c.cert, c.answer)
			client := &Client{Port: port, Files: tree, Token: func() (string, error) { return "secret", nil }}
			got, err := client.Get(t.Context(), c.more...)
			if c.err == "" && (err != nil || string(got) != config) {
				t.Errorf("got %q, %v", got, err)
			}
			if c.err != "" && (err == nil || got != nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("got %q, %v, want an error with %q", got, err, c.err)
			}
			// What the kubelet itself says lasts, and is told apart from the rest.
			if got, want := errors.As(err, new(*Refused)), c.err == "403" || c.err == "302"; got != want {
				t.Errorf("%v counts as an answer of the kubelet's: %t, want %t", err, got, want)
			}
			if n := asked.Load(); n != c.asked {
				t.Errorf("%d requests arrived, want %d", n, c.asked)
			}
		})
	}
}

// The bytes of the token never leave to a peer that is not the kubelet.
func TestNothingIsSentToAStranger(t *testing.T) {
	_, ownPEM := certificate(t, "node")
	other, _ := certificate(t, "node")
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{other}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	received := make(chan []byte, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			received <- nil
			return
		}
		defer func() { _ = conn.Close() }()
		buf := make([]byte, 4096)
		n, _ := conn.Read(buf)
		received <- buf[:n]
	}()
	tree, err := hosttest.Text("-- var/lib/kubelet/pki/kubelet.crt --\n" + ownPEM)
	if err != nil {
		t.Fatal(err)
	}
	client := &Client{Port: listener.Addr().(*net.TCPAddr).Port, Files: tree, Token: func() (string, error) { return "secret", nil }}
	if _, err := client.Get(t.Context()); !errors.Is(err, errStranger) {
		t.Errorf("error %v", err)
	}
	if got := <-received; len(got) > 0 {
		t.Errorf("the stranger received %q", got)
	}
}
