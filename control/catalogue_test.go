package control

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func hangul(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Hangul, r) })
}

func TestCatalogueIDs(t *testing.T) {
	kebab := regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	seen := map[ID]bool{}
	for _, c := range All() {
		if !kebab.MatchString(string(c.ID)) {
			t.Errorf("id %q is not lower-case words joined by hyphens", c.ID)
		}
		if seen[c.ID] {
			t.Errorf("id %q is used twice", c.ID)
		}
		seen[c.ID] = true
		if got, ok := Get(c.ID); !ok || got != c {
			t.Errorf("Get(%q) = %v, %v, want the control that All lists", c.ID, got, ok)
		}
	}
	if want := 136 + 35 + 2 + 1; len(seen) != want {
		t.Errorf("the catalogue has %d controls, want %d", len(seen), want)
	}
	if c, ok := Get("no-such-control"); ok || c != (Control{}) {
		t.Errorf("Get of an unknown id = %v, %v, want nothing", c, ok)
	}
}

func TestCatalogueTexts(t *testing.T) {
	for _, c := range All() {
		texts := map[string]Text{"Title": c.Title, "Why": c.Why, "Remedy": c.Remedy}
		if c.Kind == Measured {
			if c.Reason != (Text{}) {
				t.Errorf("%s is measured and has a Reason", c.ID)
			}
		} else {
			texts["Reason"] = c.Reason
		}
		for name, text := range texts {
			if text.EN == "" || hangul(text.EN) {
				t.Errorf("%s: %s in English is %q", c.ID, name, text.EN)
			}
			if !hangul(text.KO) {
				t.Errorf("%s: %s in Korean is %q", c.ID, name, text.KO)
			}
			for _, s := range []string{text.EN, text.KO} {
				if s != strings.TrimSpace(s) || strings.Contains(s, "  ") || strings.Contains(s, "%!") {
					t.Errorf("%s: %s has a stray space or verb: %q", c.ID, name, s)
				}
			}
		}
	}
}

// A Title is a heading, a Why is a sentence, and a Remedy continues a denial
// message: "host-pid: ...: set hostPID to false or remove it".
func TestCatalogueStyle(t *testing.T) {
	for _, c := range All() {
		for _, title := range []string{c.Title.EN, c.Title.KO} {
			if n := utf8.RuneCountInString(title); n > 70 || strings.HasSuffix(title, ".") {
				t.Errorf("%s: title %q has %d characters or ends in a full stop", c.ID, title, n)
			}
		}
		for _, why := range []string{c.Why.EN, c.Why.KO} {
			if !strings.HasSuffix(why, ".") || strings.Count(why, ". ") > 0 {
				t.Errorf("%s: why is not one sentence: %q", c.ID, why)
			}
		}
		if r, _ := utf8.DecodeRuneInString(c.Remedy.EN); unicode.IsUpper(r) || strings.HasSuffix(c.Remedy.EN, ".") {
			t.Errorf("%s: remedy begins with a capital or ends in a full stop: %q", c.ID, c.Remedy.EN)
		}
		if !strings.Contains(c.Remedy.KO, "십시오") || strings.HasSuffix(c.Remedy.KO, ".") {
			t.Errorf("%s: remedy in Korean is not a request or ends in a full stop: %q", c.ID, c.Remedy.KO)
		}
	}
}

func TestCatalogueKinds(t *testing.T) {
	want := map[string]int{
		"admission measured":     19 + 11 + 1,
		"cluster measured":       2,
		"cluster manual":         3,
		"node measured":          35 + 10 + 17 + 2,
		"control-plane attested": 21 + 32 + 7 + 2 + 7 + 5,
	}
	got := map[string]int{}
	for _, c := range All() {
		got[fmt.Sprintf("%s %s", c.Face, c.Kind)]++
	}
	for k, n := range want {
		if got[k] != n {
			t.Errorf("%d controls are %s, want %d", got[k], k, n)
		}
		delete(got, k)
	}
	if len(got) > 0 {
		t.Errorf("controls of a face and kind that should not be: %v", got)
	}
}

func TestCatalogueOrder(t *testing.T) {
	all, ids := All(), IDs()
	if len(all) != len(ids) {
		t.Fatalf("All lists %d controls and IDs %d", len(all), len(ids))
	}
	for i, c := range all {
		if c.ID != ids[i] {
			t.Errorf("control %d is %q in All and %q in IDs", i, c.ID, ids[i])
		}
	}
	inOrder := []ID{
		"apiserver-manifest-mode", "apiserver-anonymous-auth", "etcd-cert", "audit-policy",
		"kubelet-service-mode", "kubelet-anonymous-auth", "kube-proxy-metrics",
		"pod-creation", "default-service-account", "system-masters", "privileged", "host-ports",
		"cni-network-policy", "secrets-as-env", "external-secrets", "default-namespace", "tainted-node-toleration",
		"mod-cramfs", "perm-issue-net", "sysctl-send-redirects", "su-restricted",
	}
	last := -1
	for _, id := range inOrder {
		at := slices.Index(ids, id)
		if at <= last {
			t.Errorf("%s is number %d, want it after number %d", id, at, last)
		}
		last = at
	}
}

func TestCallersCannotChangeTheCatalogue(t *testing.T) {
	All()[0].ID = "changed"
	IDs()[0] = "changed"
	Rows("net-raw")[0].ID = "changed"
	SourceRows()[0].ID = "changed"
	Benchmarks()[0].ID = "changed"
	if All()[0].ID == "changed" || IDs()[0] == "changed" || Rows("net-raw")[0].ID == "changed" ||
		SourceRows()[0].ID == "changed" || Benchmarks()[0].ID == "changed" {
		t.Error("a caller's change is seen by the next caller")
	}
}

func TestAssembleRefuses(t *testing.T) {
	tests := map[string]struct {
		order    []ID
		controls []Control
		want     string
	}{
		"two texts for one id":     {[]ID{"a"}, []Control{{ID: "a"}, {ID: "a"}}, `control "a" is described twice`},
		"an id without a text":     {[]ID{"a", "b"}, []Control{{ID: "a"}}, `control "b" is in the tables but not described`},
		"an id in the order twice": {[]ID{"a", "a"}, []Control{{ID: "a"}}, `control "a" is in the tables but not described`},
		"a text without a number":  {[]ID{"a"}, []Control{{ID: "a"}, {ID: "b"}}, `control "b" is described but in none of the tables`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := assemble(tt.order, tt.controls)
			if err == nil || err.Error() != tt.want {
				t.Errorf("assemble() error = %v, want %q", err, tt.want)
			}
		})
	}
}
