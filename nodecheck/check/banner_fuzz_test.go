package check

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

// FuzzBanner: a text passes if and only if it has letters or digits to show and none of the
// escapes, told by another way to look for them.
func FuzzBanner(f *testing.F) {
	for _, s := range []string{"Authorized use only.\n", `\s \m`, `\\m`, `\\\m`, "\\\nm", "\\", " \t\r\n", "\ufeff\n", `\S{NAME}`, `\n \l`, `\e{bold}`, `\e{x`, "\x00", "caf\xe9"} {
		f.Add(s)
	}
	escapes := regexp.MustCompile(`(?s)\\(.(\{[^}]*\}?)?)?`)
	words := regexp.MustCompile(`[\pL\p{Nd}]`)
	f.Fuzz(func(t *testing.T, text string) {
		tree, err := hosttest.Text("")
		if err != nil {
			t.Fatal(err)
		}
		tree.Write("/etc/issue", text)
		got := Run(host.New(tree), bannerChecks[:1], NewRules())[0].Status
		want := control.Pass
		switch {
		case len(text) > host.MaxFile, !utf8.ValidString(text), strings.Contains(text, "\x00"):
			want = control.Unknown
		case !words.MatchString(escapes.ReplaceAllString(text, "")):
			want = control.Fail
		default:
			plain := strings.ReplaceAll(text, `\\`, "")
			for _, escape := range []string{`\m`, `\r`, `\s`, `\v`, `\S`} {
				if strings.Contains(plain, escape) {
					want = control.Fail
				}
			}
		}
		if got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	})
}
