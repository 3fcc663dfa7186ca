package check

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

// accountChecks are those of this family, in the order of the catalogue.
var accountChecks = []*Check{&singleUserAuth, &pwCreation, &pwMaxAge, &pwInactive, &umaskDefault, &suRestricted}

// secret is in every hash of the family's fixtures.
const secret = "neverprintthishash"

// TestNoHashInFindings runs every check of the family on every fixture of it and
// looks for hashes in what they say.
func TestNoHashInFindings(t *testing.T) {
	seen := 0
	for _, of := range accountChecks {
		paths, err := filepath.Glob(filepath.Join("testdata", string(of.ID), "*.txtar"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no fixtures of %s: %v", of.ID, err)
		}
		for _, path := range paths {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range archive.Files {
				seen += strings.Count(string(f.Data), secret)
			}
			noHash(t, path, archive)
		}
	}
	if seen < 50 {
		t.Errorf("the fixtures have %d hashes: too few to show anything", seen)
	}
}

// TestNoHashInFiles puts a hash at every place of the files that have one, and where
// a slip of the pen might put it.
func TestNoHashInFiles(t *testing.T) {
	const hash = "$6$salt$" + secret
	for _, shadow := range []string{
		"root:" + hash + ":1:0:90:7:30::", "root:!" + hash + ":1:0:90:7:30::", "root:" + hash, "root:x:1:0:" + hash + ":7:::",
		"root:x:1:0:90:7:" + hash + "::", "root:" + hash + "\xff:1:0:9:7:::", "root " + hash, "root:" + hash + ":1:0:90:7:30:::",
	} {
		for _, passwd := range []string{"root:x:0:0::/:", "root:" + hash + ":0:0::/:", "root:x:" + hash + ":0::/:", "root:x:0:0:" + hash} {
			noHash(t, shadow+" "+passwd, txtar.Parse([]byte(
				"-- usr/bin/su mode=04755 --\n-- etc/pam.d/su --\nauth required pam_wheel.so\n-- etc/group --\nroot:x:0:\n"+
					"-- etc/shadow --\n"+shadow+"\n-- etc/passwd --\n"+passwd+"\n")))
		}
	}
}

func noHash(t *testing.T, name string, archive *txtar.Archive) {
	t.Helper()
	tree, err := hosttest.Parse(archive)
	if err != nil {
		t.Fatal(err)
	}
	for _, rules := range []*Rules{NewRules(), NewRules("cis-ubuntu-22.04-3.0.0")} {
		for _, v := range Run(host.New(tree), accountChecks, rules) {
			if said := fmt.Sprintf("%+v", v); strings.Contains(said, secret) || strings.Contains(said, "$6$") || strings.Contains(said, "$y$") {
				t.Errorf("%s: %s says %s", name, v.Control, said)
			}
		}
	}
}

// BenchmarkAccounts is one scan of the family on a node like those of AKS, in memory.
func BenchmarkAccounts(b *testing.B) {
	path := filepath.Join("testdata", "systems", "ubuntu-22.04.txtar")
	if _, err := os.Stat(path); err != nil {
		path = filepath.Join("testdata", "pw-creation", "pass-aks.txtar")
	}
	archive, err := txtar.ParseFile(path)
	if err != nil {
		b.Fatal(err)
	}
	tree, err := hosttest.Parse(archive)
	if err != nil {
		b.Fatal(err)
	}
	rules := NewRules()
	b.ReportAllocs()
	for b.Loop() {
		Run(host.New(tree), accountChecks, rules)
	}
}

// BenchmarkAccountsHere is the same on the machine that the benchmark runs on.
func BenchmarkAccountsHere(b *testing.B) {
	root, err := host.Open("/")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	rules := NewRules()
	b.ReportAllocs()
	for b.Loop() {
		Run(host.New(root), accountChecks, rules)
	}
}
