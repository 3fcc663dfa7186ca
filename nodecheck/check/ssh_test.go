package check

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// BenchmarkSSH judges the family on a disk, beside a package database of the size
// of a node's.
func BenchmarkSSH(b *testing.B) {
	archive, err := txtar.ParseFile("testdata/ssh-x11/pass-managed-node.txtar")
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	write := func(name, content string) {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for _, f := range archive.Files {
		name, target, isLink := strings.Cut(f.Name, " -> ")
		name = strings.Fields(name)[0]
		content := string(f.Data)
		switch {
		case isLink:
			write(filepath.Join(filepath.Dir(name), "x"), "")
			if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
				b.Fatal(err)
			}
			continue
		case name == "var/lib/dpkg/status":
			var s strings.Builder
			for i := range 900 {
				fmt.Fprintf(&s, "Package: lib%d\nStatus: install ok installed\nVersion: 1\nDescription: %s\n\n", i, strings.Repeat("some words of it ", 70))
			}
			content = s.String() + content
		}
		write(name, content)
	}
	root, err := host.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	rules := NewRules()
	for b.Loop() {
		for _, v := range Run(host.New(root), sshChecks, rules) {
			if v.Status != "Pass" {
				b.Fatalf("%s is %s: %v", v.Control, v.Status, v.Findings)
			}
		}
	}
}
