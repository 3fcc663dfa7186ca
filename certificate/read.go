package certificate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// readPair reads a certificate and its key, and refuses those that do not fit. No error
// has anything of the key.
func readPair(data map[string][]byte) (pair, error) {
	certs := readAll(data[CertKey])
	if len(certs) == 0 {
		return pair{}, errors.New(CertKey + " has no certificate")
	}
	block := keyBlock(data[PrivateKey])
	if block == nil {
		return pair{}, errors.New(PrivateKey + " has no key")
	}
	key, err := parseKey(block.Bytes)
	if err != nil {
		return pair{}, errors.New(PrivateKey + " is no ECDSA key")
	}
	if !key.PublicKey.Equal(certs[0].PublicKey) {
		return pair{}, fmt.Errorf("%s is not the key of %s", PrivateKey, CertKey)
	}
	return pair{cert: certs[0], key: key}, nil
}

// keyBlock is the first that is a key: some tools write the curve before it.
func keyBlock(text []byte) (block *pem.Block) {
	for {
		if block, text = pem.Decode(text); block == nil || strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return block
		}
	}
}

func parseKey(der []byte) (*ecdsa.PrivateKey, error) {
	if key, err := x509.ParseECPrivateKey(der); err == nil { // as cert-manager encodes it
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("not ECDSA")
	}
	return ec, nil
}

// readAll reads the certificates of a file, and passes over what is none.
func readAll(text []byte) (certs []*x509.Certificate) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return certs
		}
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			certs = append(certs, cert)
		}
	}
}

// readAuthorities reads those certificates of a file that are an authority's.
func readAuthorities(text []byte) []*x509.Certificate {
	return slices.DeleteFunc(readAll(text), func(c *x509.Certificate) bool { return !c.IsCA })
}

// write is the file of certificates, in their order and each once.
func write(certs []*x509.Certificate) []byte {
	var text []byte
	for i, c := range certs {
		if !has(certs[:i], c) {
			text = append(text, encode("CERTIFICATE", c.Raw)...)
		}
	}
	return text
}

func has(certs []*x509.Certificate, c *x509.Certificate) bool {
	return slices.ContainsFunc(certs, func(o *x509.Certificate) bool { return bytes.Equal(o.Raw, c.Raw) })
}

// valid is nil while a certificate is.
func valid(c *x509.Certificate, now time.Time) error {
	switch {
	case now.Before(c.NotBefore):
		return fmt.Errorf("it is not valid before %s", c.NotBefore.UTC().Format(time.RFC3339))
	case !now.Before(c.NotAfter):
		return fmt.Errorf("it has expired at %s", c.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}

// due is when two thirds of a certificate's life are over. What began long before it was
// made, since clocks differed, lives no longer for that.
func due(c *x509.Certificate, lifetime time.Duration) time.Time {
	began := c.NotBefore.Add(backdate) // if it was made here
	if !began.Before(c.NotAfter) {
		began = c.NotBefore
	}
	return c.NotAfter.Add(-min(c.NotAfter.Sub(began), lifetime) / 3)
}

// by is whether a certificate was signed by an authority.
func by(c, authority *x509.Certificate) bool { return c.CheckSignatureFrom(authority) == nil }

// through is whether an API server that trusts anchor accepts what is served: the first of
// these certificates, with the others for a chain. Where it trusts the first itself, that
// need not be an authority's.
func through(served []*x509.Certificate, anchor *x509.Certificate) bool {
	chain, rest := served[:min(1, len(served))], served[min(1, len(served)):]
	for i := 0; i < len(chain); i++ {
		if chain[i].Equal(anchor) || by(chain[i], anchor) {
			return true
		}
		for _, next := range rest {
			if !has(chain, next) && by(chain[i], next) {
				chain = append(slices.Clip(chain), next)
			}
		}
	}
	return false
}
