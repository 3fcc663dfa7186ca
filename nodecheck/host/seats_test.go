//go:build linux

package host_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/mounttest"
)

// mountedNode is a directory that is a mount of its own as the root of a node is, and
// whose mounts are followed.
func mountedNode(t *testing.T) string {
	t.Helper()
	node := t.TempDir()
	must(t, unix.Mount("none", node, "tmpfs", 0, ""))
	must(t, unix.Mount("", node, "", unix.MS_SHARED, ""))
	t.Cleanup(func() { _ = unix.Unmount(node, unix.MNT_DETACH) })
	return node
}

// tellMounts writes the mounts of a node where its first process would show them, with
// others in place of some words.
func tellMounts(t *testing.T, node string, kinds ...string) {
	t.Helper()
	data, err := os.ReadFile("/proc/self/mountinfo")
	must(t, err)
	var table strings.Builder
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		rest, ok := strings.CutPrefix(f[4], node)
		if !ok || rest != "" && rest[0] != '/' {
			continue
		}
		f[4] = "/" + strings.TrimPrefix(rest, "/")
		fmt.Fprintln(&table, strings.Join(f, " "))
	}
	write(t, node, "proc/1/mountinfo", strings.NewReplacer(kinds...).Replace(table.String()))
}

// TestPartsThatAreLinks: where a part is a link on the node, ".." leads to what is above the
// directory that it leads to, and not above its own name.
func TestPartsThatAreLinks(t *testing.T) {
	if !mounttest.Allowed(t) {
		return
	}
	node := mountedNode(t)
	for _, name := range []string{"lib/file", "etc/file", "var/lib/file", "var/opt/file", "data/srv/file", "data/etc/only", "own/file"} {
		write(t, node, name, "/"+name)
	}
	must(t, os.MkdirAll(filepath.Join(node, "var", "home"), 0o755))
	must(t, unix.Mount("none", filepath.Join(node, "var", "home"), "tmpfs", 0, ""))
	write(t, node, "var/home/file", "/var/home/file")
	must(t, unix.Mount("none", filepath.Join(node, "own"), "tmpfs", 0, ""))
	write(t, node, "own/file", "/own/file")
	for name, target := range map[string]string{
		"opt": "var/opt", "srv": "data/srv", "home": "var/home", "var/opt/up": "../lib/file", "var/home/up": "../lib/file",
		"data/srv/up": "../etc/only", "own/up": "../etc/file",
	} {
		link(t, node, target, name)
	}
	tellMounts(t, node)
	inParts(t, mounttest.Container(t, node, "/etc", "/home", "/lib", "/opt", "/own", "/proc", "/srv", "/var"), func(t *testing.T, r *host.Root) {
		t.Helper()
		for name, want := range map[string]struct{ text, path string }{
			"/opt/file":     {"/var/opt/file", "/var/opt/file"},
			"/opt/up":       {"/var/lib/file", "/var/lib/file"},
			"/opt/../etc":   {"missing", ""},
			"/home/file":    {"/var/home/file", "/var/home/file"},
			"/home/up":      {"/var/lib/file", "/var/lib/file"},
			"/srv/file":     {"/data/srv/file", "/srv/file"}, // there is no other name for it here
			"/srv/up":       {"unmounted", ""},
			"/srv/../etc":   {"unmounted", ""},
			"/own/file":     {"/own/file", "/own/file"},
			"/own/up":       {"/etc/file", "/etc/file"},
			"/etc/../own":   {"directory", ""},
			"/srv/nothing":  {"missing", ""},
			"/opt/nothing":  {"missing", ""},
			"/etc/nothing":  {"missing", ""},
			"/data/etc/any": {"unmounted", ""},
		} {
			data, info, err := r.ReadFile(name, 100)
			ok := err == nil && string(data) == want.text && info.Path == want.path
			switch want.text {
			case "missing":
				ok = errors.Is(err, fs.ErrNotExist)
			case "unmounted":
				ok = errors.Is(err, host.ErrNotMounted)
			case "directory":
				ok = errors.Is(err, host.ErrNotRegular)
			}
			if !ok {
				t.Errorf("%s: %q at %s, %v; want %s at %s", name, data, info.Path, err, want.text, want.path)
			}
		}
		if info, err := r.Lstat("/opt"); err != nil || info.Link != "/var/opt" {
			t.Errorf("/opt: %+v, %v", info, err)
		}
		if err := r.Replaced(); err != nil {
			t.Errorf("nothing was replaced: %v", err)
		}
	})
}

// TestPartsReplaced: what a part is to the node is told from what it was, whatever the node
// did to it.
func TestPartsReplaced(t *testing.T) {
	if !mounttest.Allowed(t) {
		return
	}
	// Each does one thing to a node with the parts /etc, /opt, which is a mount, and /srv, a link.
	for name, c := range map[string]struct {
		do   func(node string) error
		want string
		told []string // how the mounts are told otherwise than they are
	}{
		"nothing":      {func(string) error { return nil }, "", nil},
		"another mode": {func(node string) error { return os.Chmod(filepath.Join(node, "etc"), 0o700) }, "", nil},
		"mounted below": {func(node string) error {
			below := filepath.Join(node, "etc", "below")
			return errors.Join(os.Mkdir(below, 0o755), unix.Mount("none", below, "tmpfs", 0, ""))
		}, "", nil},
		// What is mounted over a part later comes here too.
		"mounted over a directory": {func(node string) error { return unix.Mount("none", filepath.Join(node, "etc"), "tmpfs", 0, "") }, "", nil},
		"mounted over a mount":     {func(node string) error { return unix.Mount("none", filepath.Join(node, "opt"), "tmpfs", 0, "") }, "", nil},
		"renamed": {func(node string) error {
			return os.Rename(filepath.Join(node, "etc"), filepath.Join(node, "etc.old"))
		}, "/etc", nil},
		"deleted": {func(node string) error { return os.RemoveAll(filepath.Join(node, "etc")) }, "/etc", nil},
		"the directory of a link renamed": {func(node string) error {
			return os.Rename(filepath.Join(node, "data"), filepath.Join(node, "data.old"))
		}, "/srv", nil},
		"unmounted": {func(node string) error { return unix.Unmount(filepath.Join(node, "opt"), 0) }, "/opt", nil},
		"unmounted, and another mounted": {func(node string) error {
			opt := filepath.Join(node, "opt")
			return errors.Join(unix.Unmount(opt, 0), unix.Mount("none", opt, "tmpfs", 0, ""))
		}, "/opt", nil},
		"an automount that waits": {func(node string) error {
			opt := filepath.Join(node, "opt")
			return errors.Join(unix.Unmount(opt, 0), unix.Mount("none", opt, "tmpfs", 0, ""))
		}, "", []string{"- tmpfs", "- autofs"}},
		"a mount with a blank, unmounted": {func(node string) error {
			return unix.Unmount(filepath.Join(node, "with blank"), 0)
		}, "/with blank", nil},
	} {
		t.Run(name, func(t *testing.T) {
			node := mountedNode(t)
			write(t, node, "etc/file", "x")
			write(t, node, "data/srv/file", "x")
			link(t, node, "data/srv", "srv")
			must(t, os.Mkdir(filepath.Join(node, "opt"), 0o755))
			must(t, unix.Mount("none", filepath.Join(node, "opt"), "tmpfs", 0, ""))
			must(t, os.Mkdir(filepath.Join(node, "with blank"), 0o755))
			must(t, unix.Mount("none", filepath.Join(node, "with blank"), "tmpfs", 0, ""))
			tellMounts(t, node)
			r, err := host.OpenParts(mounttest.Container(t, node, "/etc", "/opt", "/proc", "/srv", "/with blank"))
			must(t, err)
			t.Cleanup(func() { _ = r.Close() })
			must(t, c.do(node))
			tellMounts(t, node, c.told...)
			err = r.Replaced()
			var at *host.Error
			if (err != nil) != (c.want != "") || err != nil && (!errors.As(err, &at) || at.Path != c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestRemounted: each change of mounts is told once.
func TestRemounted(t *testing.T) {
	if !mounttest.Allowed(t) {
		return
	}
	node := mountedNode(t)
	write(t, node, "etc/file", "x")
	r, err := host.OpenParts(mounttest.Container(t, node, "/etc"))
	must(t, err)
	t.Cleanup(func() { _ = r.Close() })
	if r.Remounted() {
		t.Error("without the node's /proc: something was mounted")
	}
	must(t, r.TellOwnMounts())
	for _, step := range []struct {
		what string
		do   func() error
		want bool
	}{
		{"nothing", func() error { return nil }, false},
		{"mount", func() error { return unix.Mount("none", filepath.Join(node, "etc"), "tmpfs", 0, "") }, true},
		{"nothing since", func() error { return nil }, false},
		{"unmount", func() error { return unix.Unmount(filepath.Join(node, "etc"), 0) }, true},
		{"nothing again", func() error { return nil }, false},
	} {
		must(t, step.do())
		if got := r.Remounted(); got != step.want {
			t.Errorf("%s: %t", step.what, got)
		}
	}
	whole := open(t, node)
	if whole.Remounted() || whole.Replaced() != nil {
		t.Error("a whole root is not in parts")
	}
}
