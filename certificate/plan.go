package certificate

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
	"time"
)

// Action is one write.
type Action int

// The actions. Each may be the last of a leader: the next finds what to do by what is
// stored.
const (
	// None: all is as it should be, or it is waited for something.
	None Action = iota
	// MakeCA stores a new authority, which does not sign before the bundles have it. The
	// one before stays trusted, and its key is gone.
	MakeCA
	// Adopt trusts an authority that is none of ours, by which the webhook serves now.
	Adopt
	// Inject brings the trusted authorities into the bundles.
	Inject
	// Issue stores a new serving certificate.
	Issue
	// Prune ends the trust in authorities that do not sign any more.
	Prune
)

var actions = [...]string{None: "none", MakeCA: "make-ca", Adopt: "adopt", Inject: "inject", Issue: "issue", Prune: "prune"}

func (a Action) String() string { return actions[a] }

// Step is what to do, and why, in words that name no secret.
type Step struct {
	Action Action
	Why    string
}

// adopted is how many authorities at most are trusted besides the one that signs.
const adopted = 8

// Plan is the next step. now is the time by the clock of an API server: it is there that
// certificates are found to be valid or not.
func Plan(s State, seen Seen, c Config, now time.Time) Step {
	signing, why := s.authority(c, now)
	if why != "" {
		return Step{MakeCA, why}
	}
	trusted := s.trusted()
	if foreign := s.foreign(trusted, now); len(foreign) > 0 {
		return Step{Adopt, "the webhook serves by an authority that the Secret does not know: " + foreign[0].Subject.CommonName + " of " + foreign[0].NotBefore.UTC().Format(time.RFC3339)}
	}
	issue := s.serves(signing.cert, c, now)
	if issue != "" && s.mayIssue(signing.cert, seen, c, now) {
		return Step{Issue, issue}
	}
	bundle := write(trusted)
	if slices.ContainsFunc(s.Bundles, func(b []byte) bool { return !bytes.Equal(b, bundle) }) {
		return Step{Inject, "a webhook has another bundle than the authorities that are trusted"}
	}
	if issue != "" {
		return Step{None, "waiting until every API server goes by the new authority: " + issue}
	}
	if len(trusted) > 1 {
		if seen.Serving < c.Overlap {
			return Step{None, "waiting until every replica serves by the new authority"}
		}
		return Step{Prune, "every replica serves by the authority that signs"}
	}
	return Step{}
}

// authority is the one that signs, or why there has to be another.
func (s State) authority(c Config, now time.Time) (p pair, why string) {
	if s.CA == nil {
		return p, "there is no authority"
	}
	p, err := readPair(s.CA)
	if err == nil {
		err = valid(p.cert, now)
	}
	switch {
	case err != nil:
		return p, "the authority cannot sign: " + err.Error()
	case !p.cert.IsCA || p.cert.KeyUsage&x509.KeyUsageCertSign == 0:
		return p, "the authority cannot sign: its certificate is none of an authority"
	case !now.Before(due(p.cert, c.CALifetime)):
		return p, "two thirds of the authority's life are over"
	}
	return p, ""
}

// trusted are the authority that signs and those before it.
func (s State) trusted() (all []*x509.Certificate) {
	return unique(slices.Concat(readAuthorities(s.CA[CertKey]), readAll(s.CA[PreviousKey])))
}

// known are all authorities that somebody may trust.
func (s State) known() []*x509.Certificate {
	all, served := s.trusted(), readAll(s.Serving[CertKey])
	for _, b := range append([][]byte{s.Serving[BundleKey]}, s.Bundles...) {
		all = append(all, slices.DeleteFunc(readAll(b), func(c *x509.Certificate) bool { return !c.IsCA && !through(served, c) })...)
	}
	return unique(all)
}

// foreign are the authorities by which replicas may serve, and which are not trusted: those
// of the serving certificate, or where it is gone, all that the bundles have. It is so after
// a Secret was restored, and where somebody else has issued before.
func (s State) foreign(trusted []*x509.Certificate, now time.Time) []*x509.Certificate {
	// There is no end to what bundles may have, but to what is taken from them.
	signs := func(*x509.Certificate) bool { return len(trusted) <= adopted }
	if served := readAll(s.Serving[CertKey]); len(served) > 0 {
		if slices.ContainsFunc(trusted, func(a *x509.Certificate) bool { return through(served, a) }) {
			return nil
		}
		signs = func(a *x509.Certificate) bool { return through(served, a) }
	}
	return slices.DeleteFunc(s.known(), func(a *x509.Certificate) bool {
		return has(trusted, a) || !signs(a) || valid(a, now) != nil
	})
}

// serves is why there has to be another serving certificate; empty for none.
func (s State) serves(signing *x509.Certificate, c Config, now time.Time) string {
	if s.Serving == nil {
		return "there is no serving certificate"
	}
	p, err := readPair(s.Serving)
	if err == nil {
		err = valid(p.cert, now)
	}
	switch {
	case err != nil:
		return "the serving certificate is of no use: " + err.Error()
	case !by(p.cert, signing):
		return "the serving certificate is not of the authority that signs"
	case !slices.Contains(p.cert.ExtKeyUsage, x509.ExtKeyUsageServerAuth):
		return "the serving certificate is none of a server"
	case !slices.Equal(namesOf(p.cert), wanted(c.Names)):
		return fmt.Sprintf("the serving certificate is for %q", namesOf(p.cert))
	case !now.Before(due(p.cert, c.Lifetime)):
		return "two thirds of the serving certificate's life are over"
	}
	return ""
}

func namesOf(c *x509.Certificate) Names {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return NewNames(names...)
}

func wanted(names Names) Names {
	all := make([]string, 0, len(names))
	for _, n := range names {
		all = append(all, canonical(n))
	}
	return NewNames(all...)
}

// mayIssue is whether no API server can refuse a certificate of this authority that would
// not refuse any other: each has the authority in all bundles, or nobody has a bundle yet.
// Where the certificate that is served is refused by its dates, nothing is waited for.
func (s State) mayIssue(signing *x509.Certificate, seen Seen, c Config, now time.Time) bool {
	served := readAll(s.Serving[CertKey])
	settled := seen.Bundles >= c.Settle || len(served) > 0 && valid(served[0], now) != nil
	empty, holding := 0, 0
	for _, b := range s.Bundles {
		switch {
		case len(b) == 0:
			empty++
		case has(readAuthorities(b), signing):
			holding++
		}
	}
	return empty == len(s.Bundles) || holding == len(s.Bundles) && settled
}

func unique(certs []*x509.Certificate) (all []*x509.Certificate) {
	for _, c := range certs {
		if !has(all, c) {
			all = append(all, c)
		}
	}
	return all
}
