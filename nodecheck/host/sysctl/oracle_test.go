package sysctl

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

const systemdSysctl = "/usr/lib/systemd/systemd-sysctl"

func required() bool { return os.Getenv("HARDGATE_ORACLES") == "required" }

// skip says why an oracle cannot be asked here.
func skip(t *testing.T, why string) {
	t.Helper()
	if required() {
		t.Fatal(why)
	}
	t.Skip(why + "; HARDGATE_ORACLES=required makes this an error")
}

// TestOrder asks systemd in which order it reads the files of random trees.
func TestOrder(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		skip(t, "systemd-analyze is not installed")
	}
	for i := range uint64(20) {
		dir := t.TempDir()
		generate(t, rand.New(rand.NewPCG(2, i)), dir, false)
		out, err := exec.CommandContext(t.Context(), analyze, "cat-config", "--root="+dir, "--no-pager", "sysctl.d").Output()
		if err != nil {
			continue // it stops at a directory or a dangling link
		}
		var want, got []string
		for line := range strings.Lines(string(out)) {
			if p, ok := strings.CutPrefix(line, "# "+dir); ok {
				want = append(want, strings.TrimSpace(p))
			}
		}
		list, err := files(open(t, dir), true)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			got = append(got, f.Path)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("tree %d: files (-systemd +ours):\n%s", i, diff)
		}
	}
}

// TestApply lets the programs that apply the files at boot apply random trees to the
// kernel, in a network namespace that is thrown away, and compares what the
// kernel has then.
func TestApply(t *testing.T) {
	if os.Getenv(child) == "" {
		inNamespaces(t)
		return
	}
	dir := t.TempDir()
	mountTree(t, dir)
	for name, program := range map[string]struct {
		args    []string
		systemd bool
	}{
		"systemd": {args: []string{systemdSysctl}, systemd: true},
		"procps":  {args: []string{"sysctl", "--system"}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(program.args[0]); err != nil {
				skip(t, program.args[0]+" is not installed")
			}
			runtime.LockOSThread() // and never unlock: the thread ends with the test
			trees := uint64(25)
			if testing.Short() {
				trees = 5
			}
			for i := range trees {
				generate(t, rand.New(rand.NewPCG(1, i)), dir, !program.systemd)
				if program.systemd {
					write(t, filepath.Join(dir, systemdSysctl), "")
				}
				interfaces := fresh(t)
				out, err := exec.CommandContext(t.Context(), program.args[0], program.args[1:]...).CombinedOutput()
				if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
					t.Fatal(err)
				}
				if compare(t, dir, interfaces); t.Failed() {
					t.Fatalf("tree %d:\n%s\n%s", i, show(t, dir), out)
				}
			}
		})
	}
}

// keys are those whose values are compared, without the name in the middle.
var keys = [][2]string{
	{"ipv4", "send_redirects"},
	{"ipv4", "accept_source_route"},
	{"ipv4", "accept_redirects"},
	{"ipv4", "secure_redirects"},
	{"ipv4", "log_martians"},
	{"ipv6", "accept_ra"},
	{"ipv6", "accept_redirects"},
}

func keyOf(family, who, name string) string {
	return fmt.Sprintf("net/%s/conf/%s/%s", family, who, name)
}

func compare(t *testing.T, dir string, interfaces []string) {
	t.Helper()
	c, err := Read(open(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		for _, who := range append([]string{"all", "default"}, interfaces...) {
			key := keyOf(k[0], who, k[1])
			want := predict(t, c, key)
			if k[0] == "ipv4" && who != "all" && who != "default" {
				want = follow(t, c, k, who)
			}
			data, err := os.ReadFile(procSys + key)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := Int(string(data)); !slices.Contains(want, got) {
				t.Errorf("%s is %d, we say %v", key, got, want)
			}
		}
	}
}

// predict is the value that a key has after boot.
func predict(t *testing.T, c *Config, key string) []int {
	t.Helper()
	s, err := c.Lookup(key)
	if err != nil {
		t.Fatal(err)
	}
	value, _ := Default(key)
	if s.Assignment != nil {
		value, _ = Int(s.Assignment.Value)
	}
	return []int{value}
}

// follow is the values that an interface of IPv4 may have: without a line it follows
// conf/default. With one it may follow still, since systemd does not write a value
// that is there already; and where the kernel refused one, it may not follow.
func follow(t *testing.T, c *Config, k [2]string, who string) []int {
	t.Helper()
	list := predict(t, c, keyOf(k[0], "default", k[1]))
	s, err := c.Lookup(keyOf(k[0], who, k[1]))
	if err != nil {
		t.Fatal(err)
	}
	if s.Assignment == nil && s.Refused == nil {
		return list
	}
	list = append(list, predict(t, c, keyOf(k[0], who, k[1]))...)
	for i := range c.layers {
		for _, o := range c.layers[i].options {
			if n, ok := Int(o.Value); ok && match(o.Key, keyOf(k[0], "default", k[1])) {
				list = append(list, n)
			}
		}
	}
	return list
}

func open(t *testing.T, dir string) *host.Host {
	t.Helper()
	root, err := host.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return host.New(root)
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if !strings.HasPrefix(name, "/proc/") {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
