package pki

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
)

func TestLoopbackServesLocalhost(t *testing.T) {
	ca, err := NewAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Loopback("server")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := tls.X509KeyPair(pair.CertPEM, pair.KeyPEM)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca.CertPEM) {
		t.Fatal("the authority's certificate cannot be read")
	}
	for name, wantErr := range map[string]bool{"localhost": false, "127.0.0.1": false, "::1": false, "example.com": true} {
		_, err := cert.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots})
		if (err != nil) != wantErr {
			t.Errorf("serving %s: %v, want an error: %v", name, err, wantErr)
		}
	}
	other, err := NewAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	strangers := x509.NewCertPool()
	strangers.AppendCertsFromPEM(other.CertPEM)
	if _, err := cert.Leaf.Verify(x509.VerifyOptions{DNSName: "localhost", Roots: strangers}); err == nil {
		t.Error("another authority of the same name vouches for the certificate")
	}
}

func TestKeysAreForTheOwnerOnly(t *testing.T) {
	ca, err := NewAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Loopback("server")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "certs")
	if err := WriteServing(dir, ca, pair); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tls.crt", "tls.key", "ca.crt"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}
