package certificate

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"maps"
	"strings"
	"testing"
	"time"
)

// brought is what others have made: a certificate below an intermediate authority, of
// which bundles have the root only; or one that is an authority for itself.
func brought(t *testing.T, below bool) (served map[string][]byte, bundle []byte) {
	t.Helper()
	make1 := func(issuer *pair, change func(*x509.Certificate)) pair {
		c, err := template(began, config.Lifetime, config)
		if err != nil {
			t.Fatal(err)
		}
		c.BasicConstraintsValid = true
		change(c)
		p, err := make509(c, issuer)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	authority := func(name string) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.Subject, c.IsCA, c.KeyUsage = pkix.Name{CommonName: name}, true, x509.KeyUsageCertSign
		}
	}
	server := func(c *x509.Certificate) {
		c.DNSNames, c.ExtKeyUsage = config.Names, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	if !below {
		leaf := make1(nil, server)
		data, err := leaf.data()
		if err != nil {
			t.Fatal(err)
		}
		return data, leaf.certPEM()
	}
	root := make1(nil, authority("root"))
	middle := make1(&root, authority("middle"))
	leaf := make1(&middle, server)
	data, err := leaf.data()
	if err != nil {
		t.Fatal(err)
	}
	data[CertKey] = append(data[CertKey], middle.certPEM()...)
	return data, root.certPEM()
}

// accepted is what an API server says of what is served, the chain included.
func accepted(bundle, served []byte) error {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	between.AppendCertsFromPEM(served)
	_, err := readAll(served)[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: began, DNSName: config.Names[0], KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return err
}

// Who had the built-in issuer, then a certificate of their own, and comes back finds their
// authority from before in its Secret: what is served now stays trusted all the same.
func TestWhatOthersBroughtStaysTrusted(t *testing.T) {
	for name, below := range map[string]bool{"below an intermediate authority": true, "signed by itself": false} {
		for before, ca := range map[string]map[string][]byte{"an authority from before": settled(t).CA, "none": nil} {
			t.Run(name+", "+before, func(t *testing.T) {
				s := State{CA: ca}
				var bundle []byte
				s.Serving, bundle = brought(t, below)
				s.Bundles = [][]byte{bundle, bundle}
				served, issued := s.Serving[CertKey], false
				for range 20 {
					step := Plan(s, long, config, began)
					if step.Action == None || step.Action == Prune {
						break
					}
					s = carried(t, s, step.Action, config, began)
					issued = issued || step.Action == Issue
					for _, b := range s.Bundles {
						if err := accepted(b, served); err != nil {
							t.Fatalf("after %s, what replicas serve is refused: %v", step.Action, err)
						}
						if err := accepted(b, s.Serving[CertKey]); err != nil {
							t.Fatalf("after %s, what is stored is refused: %v", step.Action, err)
						}
					}
				}
				if !issued {
					t.Error("nothing is issued")
				}
			})
		}
	}
}

// A key that another tool has written after the parameters of its curve is one.
func TestKeyAfterItsCurve(t *testing.T) {
	s := settled(t)
	s.CA = maps.Clone(s.CA)
	s.CA[PrivateKey] = append([]byte("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"), s.CA[PrivateKey]...)
	if step := Plan(s, long, config, began.Add(time.Minute)); step != (Step{}) || !strings.Contains(string(s.CA[PrivateKey]), "EC PARAMETERS") {
		t.Errorf("%v", step)
	}
}
