package packages_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
	"github.com/hardgate-dev/hardgate/nodecheck/host/packages"
)

func TestVersion(t *testing.T) {
	tests := map[string]struct {
		tree           string
		version, where string
		err            error
	}{
		"among others": {
			tree: "-- var/lib/dpkg/status --\nPackage: a\nStatus: install ok installed\nVersion: 1\n\n" +
				"Package: tool\nStatus: install ok installed\nDepends: a\nVersion: 2:3.4-5\n\nPackage: b\nVersion: 9\n",
			version: "2:3.4-5", where: "/var/lib/dpkg/status:8",
		},
		"first, and last": {
			tree:    "-- var/lib/dpkg/status --\nPackage: tool\nStatus: install ok installed\nVersion: 7\n",
			version: "7", where: "/var/lib/dpkg/status:3",
		},
		"the name is not the first field": {
			tree:    "-- var/lib/dpkg/status --\nPackage: a\n\nVersion: 7\nPackage: tool\nStatus: install ok installed\n",
			version: "7", where: "/var/lib/dpkg/status:3",
		},
		"on hold": {
			tree:    "-- var/lib/dpkg/status --\nPackage: tool\nStatus: hold ok installed\nVersion: 7\n",
			version: "7", where: "/var/lib/dpkg/status:3",
		},
		"removed, its files of configuration left": {
			tree: "-- var/lib/dpkg/status --\nPackage: tool\nStatus: deinstall ok config-files\nVersion: 7\n",
			err:  packages.ErrNotInstalled,
		},
		"of two architectures one is installed": {
			tree: "-- var/lib/dpkg/status --\nPackage: tool\nStatus: deinstall ok config-files\nVersion: 7\n\n" +
				"Package: tool\nStatus: install ok installed\nVersion: 8\n",
			version: "8", where: "/var/lib/dpkg/status:7",
		},
		"a name in a description": {
			tree: "-- var/lib/dpkg/status --\nPackage: a\nStatus: install ok installed\nVersion: 1\nDescription: x\n Package: tool\n Version: 3\n",
			err:  packages.ErrNotInstalled,
		},
		"a longer name": {
			tree: "-- var/lib/dpkg/status --\nPackage: tool-extra\nStatus: install ok installed\nVersion: 1\n",
			err:  packages.ErrNotInstalled,
		},
		"status.d": {
			tree:    "-- var/lib/dpkg/status.d/tool --\nPackage: tool\nVersion: 3\n",
			version: "3", where: "/var/lib/dpkg/status.d/tool:2",
		},
		"no database": {tree: "-- etc/passwd --\n", err: packages.ErrNoDatabase},
		"not a file":  {tree: "-- var/lib/dpkg/status type=fifo --\n", err: host.ErrNotRegular},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tree, err := hosttest.Text(test.tree)
			if err != nil {
				t.Fatal(err)
			}
			version, where, err := packages.Version(host.New(tree), "tool")
			if version != test.version || where != test.where || !errors.Is(err, test.err) {
				t.Errorf("got %q at %q, error %v, want %q at %q, error %v", version, where, err, test.version, test.where, test.err)
			}
		})
	}
}

func FuzzVersion(f *testing.F) {
	f.Add("Package: tool\nStatus: install ok installed\nVersion: 7\n", "tool")
	f.Add("\n\nVersion: 7\n\nPackage: tool", "")
	f.Fuzz(func(t *testing.T, status, name string) {
		if strings.ContainsAny(name, "/\x00") {
			t.Skip()
		}
		tree, err := hosttest.Text("")
		if err != nil {
			t.Fatal(err)
		}
		tree.Write("/var/lib/dpkg/status", status)
		version, where, err := packages.Version(host.New(tree), name)
		if (err == nil) != (version != "") || (err == nil) != (where != "") {
			t.Errorf("%q at %q, error %v", version, where, err)
		}
	})
}

func BenchmarkVersion(b *testing.B) {
	var s strings.Builder
	for i := range 900 {
		fmt.Fprintf(&s, "Package: lib%d\nStatus: install ok installed\nVersion: 1\nDescription: %s\n\n", i, strings.Repeat("some words of it ", 70))
	}
	s.WriteString("Package: tool\nStatus: install ok installed\nVersion: 7\n")
	tree, err := hosttest.Text("")
	if err != nil {
		b.Fatal(err)
	}
	tree.Write("/var/lib/dpkg/status", s.String())
	h := host.New(tree)
	b.SetBytes(int64(s.Len()))
	for b.Loop() {
		if _, _, err := packages.Version(h, "tool"); err != nil {
			b.Fatal(err)
		}
	}
}
