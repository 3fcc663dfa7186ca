package key

import (
	"regexp"
	"strings"
	"testing"
)

func TestKeys(t *testing.T) {
	pattern := regexp.MustCompile(Pattern)
	tests := map[string]struct{ drifted, unverified bool }{
		Drifted:    {drifted: true},
		Unverified: {unverified: true},
		"status-taint.cluster-autoscaler.kubernetes.io/hardgate-drifted":     {drifted: true},
		"startup-taint.cluster-autoscaler.kubernetes.io/hardgate-unverified": {unverified: true},
		"example.com/hardgate-drifted":                                       {drifted: true},
		"":                                                                   {},
		"drifted":                                                            {},
		"/hardgate-drifted":                                                  {},
		"hardgate-drifted":                                                   {},
		"hardgate.dev/":                                                      {},
		"hardgate.dev/drifted2":                                              {},
		"hardgate.dev/other":                                                 {},
		"hardgate.dev/a/drifted":                                             {},
		"hardgate.dev.example/drifted":                                       {},
		"example.com/a/hardgate-drifted":                                     {},
		"example.com/nothardgate-drifted":                                    {},
		"example.com/drifted":                                                {},
		"hardgatexdev/drifted":                                               {},
		"node.kubernetes.io/not-ready":                                       {},
	}
	for key, want := range tests {
		if got := IsDrifted(key); got != want.drifted {
			t.Errorf("IsDrifted(%q) = %t", key, got)
		}
		if got := IsUnverified(key); got != want.unverified {
			t.Errorf("IsUnverified(%q) = %t", key, got)
		}
		ours := want.drifted || want.unverified
		if Ours(key) != ours || pattern.MatchString(key) != ours {
			t.Errorf("%q: ours %t, by the pattern %t, want %t", key, Ours(key), pattern.MatchString(key), ours)
		}
		if got := CheckDrifted(key) == nil; got != want.drifted {
			t.Errorf("CheckDrifted(%q) is content: %t", key, got)
		}
		if got := CheckUnverified(key) == nil; got != want.unverified {
			t.Errorf("CheckUnverified(%q) is content: %t", key, got)
		}
	}
}

// A key that the API server refuses would keep every node from registering.
func TestKeysThatNoNodeCanHave(t *testing.T) {
	for _, domain := range []string{"Example.com", "a b", `a"b`, "-a.com", "a..b", "a_b.com", ".", strings.Repeat("a", 254), "é.com"} {
		if err := CheckUnverified(domain + "/hardgate-unverified"); err == nil {
			t.Errorf("%q is taken as a domain", domain)
		}
	}
	for _, domain := range []string{"a", "a.b", "a-b.c", "1.2", "status-taint.cluster-autoscaler.kubernetes.io", strings.Repeat("a", 253)} {
		if err := CheckDrifted(domain + "/hardgate-drifted"); err != nil {
			t.Error(err)
		}
	}
}
