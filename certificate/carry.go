package certificate

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"
)

// Change is what a step writes: one of the three.
type Change struct {
	// CA and Serving are the whole data of a Secret.
	CA, Serving map[string][]byte
	// Bundle is for every webhook of ours.
	Bundle []byte
}

// Carry makes what a step writes. The keys are made here, and nothing is stored.
func Carry(action Action, s State, c Config, now time.Time) (Change, error) {
	switch action {
	case None:
		return Change{}, nil
	case MakeCA:
		next, err := newAuthority(now, c)
		if err != nil {
			return Change{}, err
		}
		return authorityWith(next, s.servedFirst(s.known()))
	case Adopt, Prune:
		signing, err := readPair(s.CA)
		if err != nil {
			return Change{}, err
		}
		var previous []*x509.Certificate
		if action == Adopt {
			previous = append(s.foreign(s.trusted(), now), s.trusted()...)
		}
		return authorityWith(signing, previous)
	case Inject:
		return Change{Bundle: write(s.trusted())}, nil
	case Issue:
		signing, err := readPair(s.CA)
		if err != nil {
			return Change{}, err
		}
		p, err := signing.sign(now, c)
		if err != nil {
			return Change{}, err
		}
		data, err := p.data()
		if err != nil {
			return Change{}, err
		}
		data[BundleKey] = write(s.trusted())
		return Change{Serving: data}, nil
	}
	return Change{}, fmt.Errorf("no such action: %d", action)
}

// servedFirst puts those first by which is served: they are the last to be let go of where
// there are too many.
func (s State) servedFirst(authorities []*x509.Certificate) []*x509.Certificate {
	served := readAll(s.Serving[CertKey])
	if len(served) == 0 {
		return authorities
	}
	slices.SortStableFunc(authorities, func(a, b *x509.Certificate) int {
		switch one, other := through(served, a), through(served, b); {
		case one == other:
			return 0
		case one:
			return -1
		}
		return 1
	})
	return authorities
}

// authorityWith is the Secret of an authority with the others that stay trusted.
func authorityWith(signing pair, others []*x509.Certificate) (Change, error) {
	data, err := signing.data()
	if err != nil {
		return Change{}, err
	}
	var previous []*x509.Certificate
	for _, o := range others {
		if !o.Equal(signing.cert) && len(previous) < adopted {
			previous = append(previous, o)
		}
	}
	if len(previous) > 0 {
		data[PreviousKey] = write(previous)
	}
	return Change{CA: data}, nil
}

func (p pair) data() (map[string][]byte, error) {
	key, err := p.keyPEM()
	if err != nil {
		return nil, err
	}
	return map[string][]byte{CertKey: p.certPEM(), PrivateKey: key}, nil
}
