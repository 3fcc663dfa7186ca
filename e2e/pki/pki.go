// Package pki makes the keys and certificates of the lab: an authority and
// certificates for this machine's loopback. Everything is made anew at run time,
// kept in the state directory with mode 0600, and good for nothing else.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// lifetime of all certificates: a lab is thrown away long before.
const lifetime = 365 * 24 * time.Hour

// Authority signs certificates. The key of a new one is held in memory only
// unless it is written.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	// CertPEM is what those who trust the authority need, such as a caBundle.
	CertPEM []byte
}

// NewAuthority makes an authority with a key of its own.
func NewAuthority(name string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the authority %s: %w", name, err)
	}
	template, err := newTemplate(name)
	if err != nil {
		return nil, fmt.Errorf("making the authority %s: %w", name, err)
	}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("making the authority %s: %w", name, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("making the authority %s: %w", name, err)
	}
	return &Authority{cert: cert, key: key, CertPEM: encode("CERTIFICATE", der)}, nil
}

// Pair is a certificate and its key, in PEM.
type Pair struct{ CertPEM, KeyPEM []byte }

// Loopback issues a certificate for localhost, 127.0.0.1 and ::1, and for more
// addresses, which its holder can serve with and also present as a client, as etcd does
// to itself.
// The key is an ECDSA key on P-256, as cert-manager and most clusters use.
func (a *Authority) Loopback(name string, more ...net.IP) (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, fmt.Errorf("issuing a certificate for %s: %w", name, err)
	}
	template, err := newTemplate(name)
	if err != nil {
		return Pair{}, fmt.Errorf("issuing a certificate for %s: %w", name, err)
	}
	template.DNSNames = []string{"localhost"}
	template.IPAddresses = append([]net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, more...)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return Pair{}, fmt.Errorf("issuing a certificate for %s: %w", name, err)
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return Pair{}, fmt.Errorf("issuing a certificate for %s: %w", name, err)
	}
	return Pair{CertPEM: encode("CERTIFICATE", der), KeyPEM: keyPEM}, nil
}

// SigningKey makes a key pair for service-account tokens: the private key and
// the public one, in PEM.
func SigningKey() (private, public []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making a signing key: %w", err)
	}
	if private, err = encodeKey(key); err != nil {
		return nil, nil, fmt.Errorf("making a signing key: %w", err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, nil, fmt.Errorf("making a signing key: %w", err)
	}
	return private, encode("PUBLIC KEY", der), nil
}

// WriteServing writes tls.crt, tls.key and ca.crt into dir, the layout of a
// mounted kubernetes.io/tls Secret.
func WriteServing(dir string, a *Authority, p Pair) error {
	return Write(dir, map[string][]byte{"tls.crt": p.CertPEM, "tls.key": p.KeyPEM, "ca.crt": a.CertPEM})
}

// Write writes files of mode 0600 into dir, which it creates.
func Write(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("writing keys and certificates: %w", err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return fmt.Errorf("writing keys and certificates: %w", err)
		}
	}
	return nil
}

func newTemplate(name string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		// A clock that is set back must not make the lab unusable, as it would not a cluster
		// that is not new.
		NotBefore: time.Now().Add(-lifetime),
		NotAfter:  time.Now().Add(lifetime),
	}, nil
}

func encodeKey(key crypto.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return encode("PRIVATE KEY", der), nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
