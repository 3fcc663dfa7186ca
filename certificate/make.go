package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// backdate is how much earlier than it is made a certificate is valid: so much may the
// clock of an API server be behind the one that was asked. A clock that takes the time of
// its zone for that of Greenwich is off by up to 14 hours.
const backdate = 24 * time.Hour

// pair is a certificate and its key.
type pair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (p pair) certPEM() []byte { return encode("CERTIFICATE", p.cert.Raw) }

func (p pair) keyPEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		return nil, fmt.Errorf("encoding a key: %w", err)
	}
	return encode("PRIVATE KEY", der), nil
}

// authorityName is that of every authority, and of the chart's for cert-manager, which goes
// on with the key that it finds: what was signed here is then trusted there.
const authorityName = "hardgate-ca"

// newAuthority makes one that signs certificates of servers and no further authority.
func newAuthority(now time.Time, c Config) (pair, error) {
	t, err := template(now, c.CALifetime, c)
	if err != nil {
		return pair{}, err
	}
	t.Subject = pkix.Name{CommonName: authorityName}
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
	t.KeyUsage = x509.KeyUsageCertSign
	return make509(t, nil)
}

// sign makes a certificate for a server. It never outlives its authority.
func (p pair) sign(now time.Time, c Config) (pair, error) {
	t, err := template(now, c.Lifetime, c)
	if err != nil {
		return pair{}, err
	}
	if t.NotAfter.After(p.cert.NotAfter) {
		t.NotAfter = p.cert.NotAfter
	}
	t.Subject = pkix.Name{CommonName: "hardgate-webhook"}
	for _, n := range wanted(c.Names) {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	return make509(t, &p)
}

// furthest is how much longer than it should a certificate lives at most, where the leader's
// own clock is ahead of that of the API server. One that is behind the others by more than a
// year finds the certificates of its own cluster not valid yet.
const furthest = 365 * 24 * time.Hour

// template is valid by now and by the leader's own clock.
func template(now time.Time, lifetime time.Duration, c Config) (*x509.Certificate, error) {
	behind, ahead := max(c.Behind, 0), min(max(-c.Behind, 0), furthest)
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("making a serial number: %w", err)
	}
	serial.SetBit(serial, 127, 1) // never short
	return &x509.Certificate{SerialNumber: serial, NotBefore: now.Add(-behind - backdate), NotAfter: now.Add(ahead + lifetime)}, nil
}

func make509(t *x509.Certificate, issuer *pair) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, fmt.Errorf("making a key: %w", err)
	}
	if issuer == nil {
		issuer = &pair{cert: t, key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, issuer.cert, key.Public(), issuer.key)
	if err != nil {
		return pair{}, fmt.Errorf("making a certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return pair{}, fmt.Errorf("making a certificate: %w", err)
	}
	return pair{cert: cert, key: key}, nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
