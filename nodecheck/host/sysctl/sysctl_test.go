package sysctl

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]struct {
		key, value string
		exclude    bool
		ok         bool
	}{
		"net.ipv4.ip_forward=1":                      {"net/ipv4/ip_forward", "1", false, true},
		" net/ipv4/ip_forward\t= 1 \r":               {"net/ipv4/ip_forward", "1", false, true},
		"-kernel.panic = 10":                         {"kernel/panic", "10", false, true},
		"- kernel.panic = 10":                        {"kernel/panic", "10", false, true},
		"-kernel.panic":                              {"kernel/panic", "", true, true},
		"kernel.panic=":                              {"kernel/panic", "", false, true},
		"kernel.core_pattern=|/bin/x = %p":           {"kernel/core_pattern", "|/bin/x = %p", false, true},
		"net.ipv4.tcp_rmem = 4096 87380\t6291456":    {"net/ipv4/tcp_rmem", "4096 87380\t6291456", false, true},
		"net.ipv4.conf.enp3s0/200.forwarding=1":      {"net/ipv4/conf/enp3s0.200/forwarding", "1", false, true},
		"net/ipv4/conf/enp3s0.200/forwarding=1":      {"net/ipv4/conf/enp3s0.200/forwarding", "1", false, true},
		"/net//ipv4/./conf/all/rp_filter/=1":         {"net/ipv4/conf/all/rp_filter", "1", false, true},
		"net.ipv4.conf.*.rp_filter = 2 # no comment": {"net/ipv4/conf/*/rp_filter", "2 # no comment", false, true},
		"kernel.panic 10":                            {},
		"# kernel.panic=10":                          {},
		"\t; kernel.panic=10":                        {},
		"":                                           {},
		"=":                                          {"", "", false, true},
		"-":                                          {"", "", true, true},
	} {
		a, ok := parse(text)
		if ok != want.ok || (ok && (a.Key != want.key || a.Value != want.value || a.exclude != want.exclude)) {
			t.Errorf("parse(%q) is %q, %q, %v, %v", text, a.Key, a.Value, a.exclude, ok)
		}
	}
}

// TestInt was compared with what a kernel takes, as TestApply does.
func TestInt(t *testing.T) {
	for value, want := range map[string]int{
		"0": 0, "1\n": 1, " 2 ": 2, "0x10": 16, "010": 8, "-1": -1, "-0": 0, "0 1": 0, "1\t0": 1, "2147483647": 2147483647,
	} {
		if got, ok := Int(value); !ok || got != want {
			t.Errorf("Int(%q) is %d, %v, want %d", value, got, ok, want)
		}
	}
	for _, value := range []string{"", " ", "off", "+1", "--1", "1,", "0.5", "0b1", "0o7", "0_1", "-", "08", "2147483648", "9999999999999999999999"} {
		if got, ok := Int(value); ok {
			t.Errorf("Int(%q) is %d, want none", value, got)
		}
	}
}

func TestLookup(t *testing.T) {
	const key = "net/ipv4/conf/all/rp_filter"
	for name, test := range map[string]struct {
		archive string
		want    Setting
		err     error
	}{
		"nothing": {},
		"the last line": {
			archive: "-- usr/lib/systemd/systemd-sysctl --\n-- etc/sysctl.d/a.conf --\nnet.ipv4.conf.all.rp_filter=1\n" +
				"net.ipv4.conf.all.rp_filter=2\n",
			want: Setting{
				Assignment: &Assignment{Key: key, Value: "2", Path: "/etc/sysctl.d/a.conf", Line: 2},
				Overridden: []Assignment{{Key: key, Value: "1", Path: "/etc/sysctl.d/a.conf", Line: 1}},
			},
		},
		"a class of characters": {
			archive: "-- etc/systemd/system/x --\n-- etc/sysctl.d/a.conf --\nnet.ipv4.conf.[[:alpha:]]ll.rp_filter=1\n",
			err:     host.ErrMalformed,
		},
		"not text": {
			archive: "-- etc/systemd/system/x --\n-- etc/sysctl.d/a.conf --\nnet.ipv4.conf.all.rp_filter=1\x00\n",
			err:     host.ErrMalformed,
		},
		"said again behind what cannot be read": {
			archive: "-- usr/lib/systemd/systemd-sysctl --\n-- etc/sysctl.d/a.conf --\nnet.ipv4.conf.all.rp_filter=1\n" +
				"-- etc/sysctl.d/b.conf unreadable --\n-- etc/sysctl.d/c.conf --\nnet.ipv4.conf.all.rp_filter=1\n",
			want: Setting{Assignment: &Assignment{Key: key, Value: "1", Path: "/etc/sysctl.d/c.conf", Line: 1}},
		},
		"procps and a pattern": {
			archive: "-- etc/sysctl.d/a.conf --\nnet.ipv4.conf.*.rp_filter=1\nnet.ipv4.conf.all.rp_filter=1\n",
			err:     errPattern,
		},
		"the kernel's command line cannot be read": {
			archive: "-- proc/cmdline unreadable --\n",
			err:     fs.ErrPermission,
		},
		"a line above the kernel's command line": {
			archive: "-- proc/cmdline unreadable --\n-- etc/sysctl.conf --\nnet.ipv4.conf.all.rp_filter=1\n",
			want:    Setting{Assignment: &Assignment{Key: key, Value: "1", Path: "/etc/sysctl.conf", Line: 1}},
		},
		"a value that procps cannot write": {
			archive: "-- etc/sysctl.conf --\nnet.ipv4.conf.all.rp_filter=1\nnet.ipv4.conf.all.rp_filter=x\n",
			want: Setting{
				Assignment: &Assignment{Key: key, Value: "1", Path: "/etc/sysctl.conf", Line: 1},
				Refused:    &Assignment{Key: key, Value: "x", Path: "/etc/sysctl.conf", Line: 2},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Read(hosttest.Host(t, test.archive))
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Lookup(key)
			if !errors.Is(err, test.err) {
				t.Errorf("the error is %v, want %v", err, test.err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestInterfacesAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range MaxInterfaces + 1 {
		b.WriteString("-- proc/sys/net/ipv4/conf/p" + strings.Repeat("x", i) + "/forwarding --\n0\n")
	}
	if _, err := Interfaces(hosttest.Host(t, b.String())); !errors.Is(err, host.ErrTooLarge) {
		t.Errorf("the error is %v, want %v", err, host.ErrTooLarge)
	}
}

func TestDefaultOfOtherKeys(t *testing.T) {
	for _, key := range []string{"", "net", "net/ipv4/conf/all", "net/ipv4/conf/all/nothing", "kernel/panic", "net/ipv4/neigh/all/send_redirects"} {
		if n, ok := Default(key); ok {
			t.Errorf("Default(%q) is %d, want none", key, n)
		}
	}
}

func FuzzRead(f *testing.F) {
	paths, err := filepath.Glob("../../check/testdata/sysctl-*/*.txtar")
	if err != nil || len(paths) == 0 {
		f.Fatal("no fixtures", err)
	}
	for _, p := range paths {
		archive, err := txtar.ParseFile(p)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if strings.Contains(file.Name, "sysctl.d/") {
				f.Add(string(file.Data), "ro sysctl.net.ipv4.conf.all.send_redirects=0 -- x", "sk\n0 0 0 0 0 0 0 0 0 4\n")
			}
		}
	}
	f.Fuzz(func(t *testing.T, file, line, netlink string) {
		files, err := hosttest.Text("-- usr/lib/systemd/systemd-sysctl --\n")
		if err != nil {
			t.Fatal(err)
		}
		files.Write("/etc/sysctl.d/10-a.conf", file)
		files.Write("/etc/sysctl.conf", file)
		files.Write("/proc/cmdline", line)
		files.Write("/proc/1/net/netlink", netlink)
		files.Write("/proc/self/net/netlink", netlink)
		files.Write("/proc/sys/net/ipv4/conf/all/send_redirects", line)
		h := host.New(files)
		c, err := Read(h)
		if err != nil {
			t.Fatal(err)
		}
		const key = "net/ipv4/conf/all/send_redirects"
		if s, err := c.Lookup(key); err == nil && s.Assignment != nil {
			if _, ok := Int(s.Assignment.Value); !ok {
				t.Errorf("a value that the kernel refuses: %q", s.Assignment.Value)
			}
			if s.Assignment.Key != key && !isPattern(s.Assignment.Key) {
				t.Errorf("another key: %q", s.Assignment.Key)
			}
		}
		c.Names("net/ipv4/conf/", "/send_redirects")
		_, _, _ = Running(h, key)
	})
}

// BenchmarkRead reads this machine.
func BenchmarkRead(b *testing.B) {
	root, err := host.Open("/")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = root.Close() })
	b.ReportAllocs()
	for b.Loop() {
		h := host.New(root)
		if _, err := Read(h); err != nil {
			b.Fatal(err)
		}
		if _, err := Interfaces(h); err != nil {
			b.Fatal(err)
		}
	}
}

func TestBounds(t *testing.T) {
	for name, line := range map[string]string{
		"lines":    "net.ipv4.conf.all.x%d=1\n",
		"patterns": "net.ipv4.conf.*.x%d=1\n",
	} {
		t.Run(name, func(t *testing.T) {
			var lines strings.Builder
			for i := range maxOptions + 1 {
				fmt.Fprintf(&lines, line, i)
			}
			h := hosttest.Host(t, "-- usr/lib/systemd/systemd-sysctl --\n-- etc/sysctl.d/a.conf --\n"+lines.String()+
				"-- etc/sysctl.d/b.conf --\nnet.ipv4.conf.all.rp_filter=1\n")
			c, err := Read(h)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Lookup("net/ipv4/conf/all/rp_filter"); !errors.Is(err, host.ErrTooLarge) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}
