package certificate

import (
	"crypto/x509"
	"maps"
	"strings"
	"testing"
	"time"
)

var (
	began  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	config = Config{
		Names: NewNames("hardgate-webhook.hardgate-system.svc"), CALifetime: 5 * 365 * day, Lifetime: 90 * day, Settle: 30 * time.Second, Overlap: time.Hour,
	}
	long = Seen{Bundles: 365 * day, Serving: 365 * day}
)

const day = 24 * time.Hour

// carried is a state after a step.
func carried(t *testing.T, s State, a Action, c Config, now time.Time) State {
	t.Helper()
	change, err := Carry(a, s, c, now)
	if err != nil {
		t.Fatal(err)
	}
	return after(s, change)
}

func after(s State, change Change) State {
	switch {
	case change.CA != nil:
		s.CA = change.CA
	case change.Serving != nil:
		s.Serving = change.Serving
	case change.Bundle != nil:
		bundles := make([][]byte, len(s.Bundles))
		for i := range bundles {
			bundles[i] = change.Bundle
		}
		s.Bundles = bundles
	}
	return s
}

// settled is what stands in a cluster at work.
func settled(t *testing.T) State {
	t.Helper()
	s := State{Bundles: make([][]byte, 3)}
	for _, want := range []Action{MakeCA, Issue, Inject, None} {
		step := Plan(s, Seen{}, config, began)
		if step.Action != want {
			t.Fatalf("planned is %v, want %s", step, want)
		}
		s = carried(t, s, want, config, began)
	}
	return s
}

// The first installation waits for nothing: pods wait for the Secret.
func TestFresh(t *testing.T) {
	s := settled(t)
	if step := Plan(s, long, config, began); step != (Step{}) {
		t.Errorf("what is settled is not left alone: %v", step)
	}
	check(t, s.Bundles[0], s.Serving[CertKey], began)
}

// check is what an API server checks.
func check(t *testing.T, bundle, served []byte, now time.Time) {
	t.Helper()
	if err := verify(bundle, served, now, config.Names[0]); err != nil {
		t.Error(err)
	}
}

func verify(bundle, served []byte, now time.Time, name string) error {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(bundle)
	_, err := readAll(served)[0].Verify(x509.VerifyOptions{Roots: pool, CurrentTime: now, DNSName: name, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	return err
}

func TestPlan(t *testing.T) {
	set := func(data *map[string][]byte, key, value string) {
		*data = maps.Clone(*data)
		(*data)[key] = []byte(value)
	}
	other := settled(t) // of another cluster
	both := func(b []byte, bundles [][]byte) [][]byte {
		var all [][]byte
		for range bundles {
			all = append(all, append([]byte{}, b...))
		}
		return all
	}
	for name, c := range map[string]struct {
		change func(*State)
		config func(*Config)
		seen   Seen
		at     time.Duration
		want   Action
		why    string
	}{
		"nothing":                         {seen: long, want: None},
		"shortly before it is due":        {seen: long, at: 60*day - time.Second, want: None},
		"due":                             {seen: long, at: 60 * day, want: Issue, why: "two thirds of the serving"},
		"due, a leader that is new":       {at: 60 * day, want: None, why: "waiting until every API server"},
		"expired, a new leader":           {at: 90 * day, want: Issue, why: "has expired at 2026-05-30T12:00:00Z"},
		"the clock is set back for hours": {seen: long, at: -23 * time.Hour, want: None},
		"the clock is set back for days":  {seen: long, at: -2 * day, want: MakeCA, why: "it is not valid before 2026-02-28T12:00:00Z"},
		"the clock is years ahead":        {seen: long, at: 10 * 365 * day, want: MakeCA, why: "it has expired at"},
		"the authority is due":            {seen: long, at: 5 * 365 * day * 2 / 3, want: MakeCA, why: "two thirds of the authority's life"},

		"no authority":          {change: func(s *State) { s.CA = nil }, seen: long, want: MakeCA, why: "there is no authority"},
		"an empty Secret":       {change: func(s *State) { s.CA = map[string][]byte{} }, seen: long, want: MakeCA, why: "tls.crt has no certificate"},
		"no authority's key":    {change: func(s *State) { set(&s.CA, PrivateKey, "") }, seen: long, want: MakeCA, why: "tls.key has no key"},
		"another key":           {change: func(s *State) { set(&s.CA, PrivateKey, string(other.CA[PrivateKey])) }, seen: long, want: MakeCA, why: "tls.key is not the key of tls.crt"},
		"half a key":            {change: func(s *State) { set(&s.CA, PrivateKey, string(s.CA[PrivateKey][:80])) }, seen: long, want: MakeCA, why: "tls.key has no key"},
		"half a certificate":    {change: func(s *State) { set(&s.CA, CertKey, string(s.CA[CertKey][:80])) }, seen: long, want: MakeCA, why: "tls.crt has no certificate"},
		"no authority's at all": {change: func(s *State) { s.CA = s.Serving }, seen: long, want: MakeCA, why: "its certificate is none of an authority"},
		// All that is left of the authority by which replicas serve is in the bundles.
		"another cluster's authority":            {change: func(s *State) { s.CA = other.CA }, seen: long, want: Adopt, why: "by an authority that the Secret does not know: hardgate-ca of 2026-02-28T12:00:00Z"},
		"another's, and the serving Secret lost": {change: func(s *State) { s.CA, s.Serving = other.CA, nil }, seen: long, want: Adopt},
		"another's, and nobody has a bundle":     {change: func(s *State) { s.Serving, s.Bundles = other.Serving, both(nil, s.Bundles) }, seen: long, at: 90 * day, want: Adopt},
		"a serving certificate of nobody": {change: func(s *State) {
			s.Serving = other.Serving
			s.Serving = maps.Clone(s.Serving)
			delete(s.Serving, BundleKey)
		}, seen: long, want: Issue, why: "not of the authority that signs"},

		"no serving certificate": {change: func(s *State) { s.Serving = nil }, seen: long, want: Issue, why: "there is no serving certificate"},
		"none, a new leader":     {change: func(s *State) { s.Serving = nil }, seen: Seen{Bundles: 29 * time.Second}, want: None},
		"no key":                 {change: func(s *State) { set(&s.Serving, PrivateKey, "x") }, seen: long, want: Issue, why: "tls.key has no key"},
		"the authority's key":    {change: func(s *State) { set(&s.Serving, PrivateKey, string(s.CA[PrivateKey])) }, seen: long, want: Issue, why: "tls.key is not the key of tls.crt"},
		"another name":           {config: func(c *Config) { c.Names = NewNames("gate.hardgate-system.svc") }, seen: long, want: Issue, why: `is for ["hardgate-webhook.hardgate-system.svc"]`},
		"one more name":          {config: func(c *Config) { c.Names = NewNames(c.Names[0], "127.0.0.1") }, seen: long, want: Issue},

		"a bundle is lost":                {change: func(s *State) { s.Bundles = append(s.Bundles[:2:2], nil) }, seen: long, want: Inject},
		"a bundle is lost, and it is due": {change: func(s *State) { s.Bundles = append(s.Bundles[:2:2], nil) }, seen: long, at: 60 * day, want: Inject},
		"a bundle has more":               {change: func(s *State) { s.Bundles = append(s.Bundles[:2:2], append(other.Bundles[0], s.Bundles[0]...)) }, seen: long, want: Inject},
		"nothing is registered":           {change: func(s *State) { s.Bundles = nil }, want: None},
		"nothing is registered, and due":  {change: func(s *State) { s.Bundles = nil }, at: 60 * day, want: Issue},
	} {
		t.Run(name, func(t *testing.T) {
			s, cfg := settled(t), config
			if c.change != nil {
				c.change(&s)
			}
			if c.config != nil {
				c.config(&cfg)
			}
			step := Plan(s, c.seen, cfg, began.Add(c.at))
			if step.Action != c.want || !strings.Contains(step.Why, c.why) {
				t.Errorf("planned is %s because %q, want %s because %q", step.Action, step.Why, c.want, c.why)
			}
		})
	}
}

// A new authority is trusted before it signs, and the old one until all serve by the new.
func TestRotation(t *testing.T) {
	s := settled(t)
	now := began.Add(5 * 365 * day * 2 / 3)
	s.Serving = carried(t, s, Issue, config, now.Add(-day)).Serving
	served := s.Serving[CertKey]
	for i, c := range []struct {
		seen Seen
		want Action
	}{
		{long, MakeCA},
		{long, Inject},
		{Seen{Bundles: config.Settle - 1}, None},
		{Seen{Bundles: config.Settle}, Issue},
		{Seen{Bundles: config.Settle, Serving: config.Overlap - 1}, None},
		{Seen{Bundles: config.Overlap, Serving: config.Overlap}, Prune},
		{long, Inject},
		{long, None},
	} {
		step := Plan(s, c.seen, config, now)
		if step.Action != c.want {
			t.Fatalf("step %d is %v, want %s", i, step, c.want)
		}
		s = carried(t, s, step.Action, config, now)
		if i < 5 {
			check(t, s.Bundles[0], served, now)
		}
		check(t, s.Bundles[0], s.Serving[CertKey], now)
	}
	if verify(s.Bundles[0], served, now, config.Names[0]) == nil {
		t.Error("the old authority is trusted still")
	}
	if _, kept := s.CA[PreviousKey]; kept {
		t.Error("the old authority is kept")
	}
}

// Who restores, deletes or brings a certificate of another issuer loses no request: what
// is served stays trusted until it is served no more.
func TestTakingOver(t *testing.T) {
	for name, change := range map[string]func(s *State){
		"the authority is deleted":       func(s *State) { s.CA = nil },
		"both Secrets are deleted":       func(s *State) { s.CA, s.Serving = nil, nil },
		"an older authority is restored": func(s *State) { s.CA = settled(t).CA },
		"the serving certificate is another's": func(s *State) {
			o := settled(t)
			s.Serving = o.Serving
			s.Bundles = [][]byte{append(s.Bundles[0], o.Bundles[0]...), s.Bundles[1], s.Bundles[2]}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := settled(t)
			served := s.Serving[CertKey]
			change(&s)
			if s.Serving != nil {
				served = s.Serving[CertKey]
			}
			issued := false
			for range 20 {
				step := Plan(s, long, config, began)
				if step.Action == None {
					break
				}
				if issued = issued || step.Action == Issue; !issued {
					check(t, s.Bundles[0], served, began)
				}
				s = carried(t, s, step.Action, config, began)
			}
			if step := Plan(s, long, config, began); step != (Step{}) || !issued {
				t.Errorf("it does not come to an end: %v", step)
			}
			check(t, s.Bundles[0], s.Serving[CertKey], began)
		})
	}
}

// What is carried out says nothing of a key, but where keys belong.
func TestKeysStayInTheirPlace(t *testing.T) {
	s := settled(t)
	for _, text := range append(s.Bundles, s.CA[CertKey], s.Serving[CertKey], s.Serving[BundleKey]) {
		if strings.Contains(string(text), "PRIVATE") {
			t.Error("a key is where everybody can read it")
		}
	}
}

func TestAddresses(t *testing.T) {
	c := config
	c.Names = NewNames("::1", "127.0.0.1", "localhost", "")
	s := carried(t, carried(t, State{}, MakeCA, c, began), Issue, c, began)
	if step := Plan(s, long, c, began); step != (Step{}) {
		t.Errorf("%v", step)
	}
	for _, name := range []string{"127.0.0.1", "localhost", "::1"} {
		if err := verify(s.CA[CertKey], s.Serving[CertKey], began, name); err != nil {
			t.Error(err)
		}
	}
}

func TestExpiry(t *testing.T) {
	s := settled(t)
	authority, serving := s.Expiry()
	if !authority.Equal(began.Add(config.CALifetime)) || !serving.Equal(began.Add(config.Lifetime)) {
		t.Errorf("%s and %s", authority, serving)
	}
	if authority, serving := (State{}).Expiry(); !authority.IsZero() || !serving.IsZero() {
		t.Error("what is not there expires")
	}
	// None outlives its authority.
	late := carried(t, s, Issue, config, began.Add(config.CALifetime-day))
	if _, serving := late.Expiry(); !serving.Equal(authority) {
		t.Errorf("a certificate ends at %s, after its authority", serving)
	}
}
