package sysctl

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// generate empties the directories of a tree and fills them at random, from few
// names and few keys, so that they meet. procps gets no patterns.
func generate(t *testing.T, r *rand.Rand, dir string, procps bool) {
	t.Helper()
	dirs := []string{"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d"}
	for _, d := range dirs {
		// What is mounted somewhere stays: only its content goes.
		entries, err := os.ReadDir(filepath.Join(dir, d))
		if err != nil {
			if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for _, e := range entries {
			if err := os.RemoveAll(filepath.Join(dir, d, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, filepath.Dir(systemdSysctl))); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, sysctlConf), content(r, procps))
	names := []string{"10-a.conf", "50-b.conf", "60-c.conf", "99-z.conf", "B.conf", ".hidden.conf", "70.conf.bak"}
	for range 2 + r.IntN(6) {
		p := filepath.Join(dir, pick(r, dirs...), pick(r, names...))
		if _, err := os.Lstat(p); err == nil {
			continue
		}
		var err error
		switch r.IntN(14) {
		case 0:
			err = os.Symlink("/dev/null", p)
		case 1:
			err = os.Symlink("nowhere", p)
		case 2:
			err = os.Mkdir(p, 0o755)
		case 3:
			write(t, p, "")
		case 4:
			err = os.Symlink(filepath.Join(strings.Repeat("../", strings.Count(filepath.Dir(strings.TrimPrefix(p, dir)), "/")), sysctlConf), p)
		default:
			write(t, p, content(r, procps))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func content(r *rand.Rand, procps bool) string {
	var b strings.Builder
	for range r.IntN(7) {
		k := keys[r.IntN(len(keys))]
		who := pick(r, "all", "all", "default", "default", "eth0", "eth0.100", "*", "*", "e*", "a[!x]l", "[d]efault", "?ll")
		if procps {
			who = pick(r, "all", "default", "eth0", "eth0.100")
		}
		family, name := pick(r, k[0], k[0], k[0], "*", "ipv?"), pick(r, k[1], k[1], k[1], k[1][:4]+"*")
		if procps {
			family, name = k[0], k[1]
		}
		var key string
		switch parts := []string{"net", family, "conf", who, name}; r.IntN(4) {
		case 0:
			key = strings.Join(parts, "/")
		case 1:
			key = "/" + strings.Join(parts, "/")
		default:
			parts[3] = strings.ReplaceAll(who, ".", "/")
			key = strings.Join(parts, ".")
		}
		value := pick(r, "0", "1", "0", "1", "2", "0x0", "01", "-1", "1 0", "0\t9", "off", "1,", "", "+1", "0b1", "0_1", "4294967296", "2147483648")
		line := key + pick(r, "=", " = ", "\t=") + value + pick(r, "", " ", "\t", "\r")
		switch r.IntN(12) {
		case 0:
			line = pick(r, "# ", ";", "  #") + line
		case 1:
			line = "-" + line
		case 2:
			line = "-" + key
		case 3:
			line = key
		case 4:
			line = "  " + line
		}
		fmt.Fprintln(&b, line)
	}
	if r.IntN(4) == 0 {
		return strings.TrimSuffix(b.String(), "\n")
	}
	return b.String()
}

func pick(r *rand.Rand, list ...string) string { return list[r.IntN(len(list))] }

// show is a tree for a message.
func show(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, _ := os.ReadFile(p)
		target, _ := os.Readlink(p)
		fmt.Fprintf(&b, "-- %s %s --\n%q\n", strings.TrimPrefix(p, dir), target, strings.Split(string(data), "\n"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
