package ruling

import (
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/nodecheck/host/modprobe"
)

// What is accepted in a policy is what an agent obeys.
func TestModuleNames(t *testing.T) {
	for _, name := range []string{
		"", "a", "usb-storage", "nf_tables", "A9", "a.b", "a b", "a/b", "a\n", "-", "ä", strings.Repeat("a", 55), strings.Repeat("a", 56), strings.Repeat("a", 64),
	} {
		if got, want := moduleName.MatchString(name), modprobe.Valid(name); got != want {
			t.Errorf("%q is accepted: %t; an agent obeys: %t", name, got, want)
		}
	}
}
