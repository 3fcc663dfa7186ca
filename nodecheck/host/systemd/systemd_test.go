package systemd

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

// A case is an archive of testdata. Its comment says what was read of test.service,
// a line each:
//
//	unit: run@one.service              (another unit than test.service)
//	file: /etc/systemd/system/test.service
//	name: other.service                (where it differs)
//	drop-in: /etc/systemd/system/test.service.d/10.conf
//	command: "/bin/true" "a b"
//	at: /etc/systemd/system/test.service:2
//	enabled: /etc/systemd/system/multi-user.target.wants/test.service
//	masked: true
//	error: what Read says
//	command-error: what Command says
//	no-oracle: why systemd-analyze cannot be asked
type testCase struct {
	archive *txtar.Archive
	unit    string
	want    map[string][]string
	// noOracle is why systemd-analyze cannot be asked.
	noOracle string
}

const unit = "test.service"

var update = flag.Bool("update", false, "write what was read into the cases")

func cases(tb testing.TB) map[string]testCase {
	tb.Helper()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no cases: %v", err)
	}
	list := map[string]testCase{}
	for _, p := range paths {
		a, err := txtar.ParseFile(p)
		if err != nil {
			tb.Fatal(err)
		}
		c := testCase{archive: a, unit: unit, want: map[string][]string{}}
		for line := range strings.Lines(string(a.Comment)) {
			switch key, value, ok := strings.Cut(strings.TrimSpace(line), ": "); {
			case !ok || strings.HasPrefix(key, "#"):
			case key == "unit":
				c.unit = value
			case key == "no-oracle":
				c.noOracle = value
			default:
				c.want[key] = append(c.want[key], value)
			}
		}
		list[strings.TrimSuffix(filepath.Base(p), ".txtar")] = c
	}
	return list
}

func TestCases(t *testing.T) {
	for name, c := range cases(t) {
		t.Run(name, func(t *testing.T) {
			tree, err := hosttest.Parse(c.archive)
			if err != nil {
				t.Fatal(err)
			}
			got := describe(host.New(tree), c.unit)
			if *update {
				c.write(t, name, got)
				return
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// write puts what was read before the files, below the lines for people.
func (c testCase) write(t *testing.T, name string, got map[string][]string) {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(string(c.archive.Comment)) {
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "no-oracle: ") || strings.HasPrefix(line, "unit: ") {
			b.WriteString(line)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		for _, value := range got[key] {
			fmt.Fprintf(&b, "%s: %s\n", key, value)
		}
	}
	c.archive.Comment = []byte(b.String())
	if err := os.WriteFile(filepath.Join("testdata", name+".txtar"), txtar.Format(c.archive), 0o600); err != nil {
		t.Fatal(err)
	}
}

func describe(h *host.Host, unit string) map[string][]string {
	got := map[string][]string{}
	u, err := Read(h, unit)
	if err != nil {
		got["error"] = []string{err.Error()}
		return got
	}
	got["file"] = []string{u.Path}
	if u.Name != unit {
		got["name"] = []string{u.Name}
	}
	if len(u.Files) > 1 {
		got["drop-in"] = u.Files[1:]
	}
	on, where, err := Enabled(h, unit)
	switch {
	case err != nil:
		got["enabled"] = []string{"error: " + err.Error()}
	case on:
		got["enabled"] = []string{where}
	}
	if u.Masked {
		got["masked"] = []string{"true"}
		return got
	}
	argv, at, err := u.Command(h)
	if err != nil {
		got["command-error"] = []string{err.Error()}
		return got
	}
	got["command"], got["at"] = []string{quote(argv)}, []string{at}
	return got
}

func quote(words []string) string {
	for i, w := range words {
		words[i] = `"` + strings.ReplaceAll(strings.ReplaceAll(w, `\`, `\\`), "\n", `\n`) + `"`
	}
	return strings.Join(words, " ")
}

func TestReadAbsent(t *testing.T) {
	tree, err := hosttest.Text("-- usr/lib/systemd/system/other.service --\n[Service]\nExecStart=/bin/true\n")
	if err != nil {
		t.Fatal(err)
	}
	h := host.New(tree)
	for range 2 {
		if _, err := Read(h, unit); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Read says %v", err)
		}
		if _, _, err := Enabled(h, unit); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Enabled says %v", err)
		}
	}
	if u, err := Read(h, "other.service"); err != nil || u.Name != "other.service" {
		t.Errorf("the other one: %v, %v", u, err)
	}
}

func TestSettings(t *testing.T) {
	tree, err := hosttest.Text(`-- etc/systemd/system/test.service --
[Service]
IPAddressDeny=10.0.0.0/8
IPAddressDeny=
IPAddressDeny = any  
Type=simple
[Service]
Type=
`)
	if err != nil {
		t.Fatal(err)
	}
	u, err := Read(host.New(tree), unit)
	if err != nil {
		t.Fatal(err)
	}
	const file = "/etc/systemd/system/test.service"
	want := []Setting{{"Service", "IPAddressDeny", "any", file + ":4"}}
	if diff := cmp.Diff(want, u.List("Service", "IPAddressDeny")); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	last, ok := u.Last("Service", "Type")
	if diff := cmp.Diff(Setting{"Service", "Type", "", file + ":7"}, last); diff != "" || !ok {
		t.Errorf("last is %v (-want +got):\n%s", ok, diff)
	}
	if s, ok := u.Last("Unit", "Type"); ok {
		t.Errorf("of another section: %v", s)
	}
}

// TestSecrets: what an environment says is in no error.
func TestSecrets(t *testing.T) {
	for name, text := range map[string]string{
		"quote":     "Environment=TOKEN=hunter2 \"open",
		"unset":     "Environment=TOKEN=hunter2\nUnsetEnvironment=\"hunter2",
		"no file":   "Environment=TOKEN=hunter2\nEnvironmentFile=/etc/nothing",
		"comment":   "EnvironmentFile=/etc/env",
		"no quotes": "Environment=TOKEN=hunter2\nExecStart=/bin/false",
	} {
		tree, err := hosttest.Text("-- etc/env --\nTOKEN=hunter2\n# hunter2 \\\n-- etc/systemd/system/test.service --\n[Service]\nExecStart=/bin/true $TOKEN\n" + text + "\n")
		if err != nil {
			t.Fatal(err)
		}
		h := host.New(tree)
		u, err := Read(h, unit)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err = u.Command(h); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBombs: what doubles itself ends in an error, not in memory.
func TestBombs(t *testing.T) {
	start := "[Service]\nExecStart=/bin/true "
	for name, text := range map[string]string{
		"words":      start + strings.Repeat("$A ", 40000) + "\nEnvironmentFile=/etc/env\n",
		"one word":   start + strings.Repeat("${A}", 30000) + "\nEnvironmentFile=/etc/env\n",
		"specifiers": start + strings.Repeat("%n", 100000) + "\n",
		"long line":  start + strings.Repeat("a \\\n", 100000) + "\n",
	} {
		h := host.New(plain(t, text, "A="+strings.Repeat("b ", 400000)))
		u, err := Read(h, unit)
		if err == nil {
			_, _, err = u.Command(h)
		}
		if !errors.Is(err, host.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzUnit(f *testing.F) {
	for _, c := range cases(f) {
		for _, file := range c.archive.Files {
			f.Add(string(file.Data), "A=b\nC='d e' # f\n")
		}
	}
	f.Add("[Service]\nExecStart=/bin/true $A\nEnvironmentFile=/etc/env\n", "A=\"b \\\n c\"\\\n")
	f.Fuzz(func(t *testing.T, text, env string) {
		h := host.New(plain(t, text, env))
		u, err := Read(h, unit)
		if err != nil {
			return
		}
		argv, _, err := u.Command(h)
		if err == nil && (len(argv) == 0 || argv[0] == "") {
			t.Errorf("no program and no error: %q", argv)
		}
	})
}

func plain(tb testing.TB, text, env string) *hosttest.Tree {
	tb.Helper()
	tree, err := hosttest.Text("")
	if err != nil {
		tb.Fatal(err)
	}
	tree.Write("/etc/systemd/system/test.service", text)
	tree.Write("/etc/env", env)
	return tree
}

var oracles = os.Getenv("HARDGATE_ORACLES") == "required"
