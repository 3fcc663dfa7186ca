//go:build linux

package host_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/mounttest"
)

// inParts runs a test with both ways to resolve a path.
func inParts(t *testing.T, dir string, test func(*testing.T, *host.Root)) {
	t.Helper()
	for name, walk := range map[string]bool{"openat2": false, "walk": true} {
		t.Run(name, func(t *testing.T) {
			r, err := host.OpenParts(dir)
			must(t, err)
			t.Cleanup(func() { _ = r.Close() })
			if walk {
				r.WithoutOpenat2()
			}
			test(t, r)
		})
	}
}

// TestParts: what is outside of the mounted directories is not said to be missing, by
// whatever way a path comes there, and what is inside is read as the node has it.
func TestParts(t *testing.T) {
	if !mounttest.Allowed(t) {
		return
	}
	node := t.TempDir()
	for _, name := range []string{"etc/file", "etc/dir/file", "usr/lib/file", "usr/lib64/file", "usr/bin/su", "srv/file", "var/lib/file", "var/log/file", "var/spool/file", "run/file", "data/file"} {
		write(t, node, name, "/"+name)
	}
	for name, target := range map[string]string{
		"lib": "usr/lib", "lib64": "usr/lib64", "bin": "usr/bin", "sbin": "usr/sbin", "usr/sbin": "bin", "var/run": "../run",
		"etc/in": "/usr/lib/file", "etc/by-link": "/lib/file", "etc/up": "../lib/file", "etc/out": "/srv/file", "etc/out-of-var": "../var/spool/file",
		"etc/lost": "/usr/nothing", "etc/lost-outside": "/srv/nothing", "etc/run": "/var/run/file", "etc/above": "/lib/../lib64/file",
		"etc/beside": "/lib/../etc/file", "etc/dir-out": "/data", "etc/loop": "loop", "etc/root": "/",
	} {
		link(t, node, target, name)
	}
	// A file system of its own below a part, and one over a part.
	own := t.TempDir()
	write(t, own, "file", "of its own")
	must(t, os.MkdirAll(filepath.Join(node, "var", "lib", "own"), 0o755))
	must(t, unix.Mount(own, filepath.Join(node, "var", "lib", "own"), "", unix.MS_BIND, ""))
	must(t, os.MkdirAll(filepath.Join(node, "boot"), 0o755))
	must(t, unix.Mount(own, filepath.Join(node, "boot"), "", unix.MS_BIND, ""))
	t.Cleanup(func() {
		_ = unix.Unmount(filepath.Join(node, "var", "lib", "own"), unix.MNT_DETACH)
		_ = unix.Unmount(filepath.Join(node, "boot"), unix.MNT_DETACH)
	})
	dir := mounttest.Container(t, node, "/bin", "/boot", "/etc", "/lib", "/run", "/sbin", "/usr", "/var/lib", "/var/log")

	const unmounted, missing = "unmounted", "missing"
	inParts(t, dir, func(t *testing.T, r *host.Root) {
		t.Helper()
		for name, want := range map[string]struct{ text, path string }{
			"/etc/file":              {"/etc/file", "/etc/file"},
			"etc//dir/./file":        {"/etc/dir/file", "/etc/dir/file"},
			"/etc/in":                {"/usr/lib/file", "/usr/lib/file"},
			"/etc/by-link":           {"/usr/lib/file", "/usr/lib/file"},
			"/etc/up":                {"/usr/lib/file", "/usr/lib/file"},
			"/lib/file":              {"/usr/lib/file", "/usr/lib/file"},
			"/lib64/file":            {"/usr/lib64/file", "/usr/lib64/file"},
			"/bin/su":                {"/usr/bin/su", "/usr/bin/su"},
			"/sbin/su":               {"/usr/bin/su", "/usr/bin/su"},
			"/usr/sbin/su":           {"/usr/bin/su", "/usr/bin/su"},
			"/run/file":              {"/run/file", "/run/file"},
			"/etc/above":             {"/usr/lib64/file", "/usr/lib64/file"},
			"/lib/../lib64/file":     {"/usr/lib64/file", "/usr/lib64/file"},
			"/etc/../lib/file":       {"/usr/lib/file", "/usr/lib/file"},
			"/../../etc/file":        {"/etc/file", "/etc/file"},
			"/var/lib/../log/file":   {"/var/log/file", "/var/log/file"},
			"/var/lib/own/file":      {"of its own", "/var/lib/own/file"},
			"/boot/file":             {"of its own", "/boot/file"},
			"/etc/root/etc/file":     {"/etc/file", "/etc/file"},
			"/etc/nothing":           {missing, ""},
			"/etc/file/more":         {missing, ""},
			"/lib/nothing":           {missing, ""},
			"/var/lib/own/nothing":   {missing, ""},
			"/etc/lost":              {missing, ""},
			"/etc/beside":            {missing, ""}, // /usr/etc/file, and not /etc/file
			"/lib/../etc/file":       {missing, ""},
			"/run/nothing":           {missing, ""},
			"/var/run/file":          {unmounted, ""}, // a link that is not seen, in a directory that is the container's
			"/etc/run":               {unmounted, ""},
			"/srv/file":              {unmounted, ""},
			"/srv/nothing":           {unmounted, ""},
			"/srv":                   {unmounted, ""},
			"/":                      {unmounted, ""},
			"/..":                    {unmounted, ""},
			"/var":                   {unmounted, ""},
			"/var/":                  {unmounted, ""},
			"/var/spool/file":        {unmounted, ""},
			"/var/lib/../spool/file": {unmounted, ""},
			"/var/library":           {unmounted, ""},
			"/etcetera":              {unmounted, ""},
			"/etc/out":               {unmounted, ""},
			"/etc/out-of-var":        {unmounted, ""},
			"/etc/lost-outside":      {unmounted, ""},
			"/etc/dir-out/file":      {unmounted, ""},
			"/etc/dir-out/nothing":   {unmounted, ""},
			"/etc/root/srv/file":     {unmounted, ""},
			"/etc/../srv/file":       {unmounted, ""},
			"/etc/nothing/../../srv": {missing, ""}, // as the kernel: it does not get there
		} {
			data, info, err := r.ReadFile(name, 100)
			_, statErr := r.Stat(name)
			switch {
			case want.text == missing && (!errors.Is(err, fs.ErrNotExist) || !errors.Is(statErr, fs.ErrNotExist)),
				want.text == unmounted && (!errors.Is(err, host.ErrNotMounted) || !errors.Is(statErr, host.ErrNotMounted)),
				want.path != "" && (err != nil || string(data) != want.text || info.Path != want.path || statErr != nil):
				t.Errorf("%s: %q at %s, %v, %v; want %s at %s", name, data, info.Path, err, statErr, want.text, want.path)
			case want.text == unmounted && (errors.Is(err, fs.ErrNotExist) || errors.Is(statErr, fs.ErrNotExist)):
				t.Errorf("%s: not mounted, and missing too: %v, %v", name, err, statErr)
			}
		}
		for name, want := range map[string]bool{"/": false, "/var": false, "/srv": false, "/etc/dir-out": false, "/etc/root": false, "/lib": true, "/run": true, "/boot": true, "/var/lib/..": false} {
			entries, err := r.ReadDir(name)
			if want && (err != nil || len(entries) != 1) || !want && (!errors.Is(err, host.ErrNotMounted) || entries != nil) {
				t.Errorf("listing %s: %v, %v", name, entries, err)
			}
		}
		for name, want := range map[string]string{"/lib": "/usr/lib", "/sbin": "/usr/sbin", "/lib64": "/usr/lib64", "/etc/out": "/srv/file", "/etc": "", "/lib/file": ""} {
			info, err := r.Lstat(name)
			if err != nil || info.Link != want || (info.Type == fs.ModeSymlink) != (want != "") {
				t.Errorf("the link %s: %+v, %v; want it to say %q", name, info, err, want)
			}
		}
		if info, err := r.Lstat("/lib/"); err != nil || info.Path != "/usr/lib" || info.Type != fs.ModeDir {
			t.Errorf("the directory that /lib leads to: %+v, %v", info, err)
		}
		if _, err := r.Stat("/etc/out"); err == nil || !strings.Contains(err.Error(), "/etc/out: it leads to /srv") || !strings.Contains(err.Error(), "nodecheck.hostPaths") {
			t.Errorf("what to do is not said: %v", err)
		}
		h := host.New(r)
		for pattern, want := range map[string][]string{"/etc/dir/*": {"/etc/dir/file"}, "/lib/fi*": {"/lib/file"}, "/*/file": nil, "/var/*/file": nil, "/srv/*": nil, "/etc/dir-out/*": nil} {
			found, err := h.Glob(pattern)
			if !slices.Equal(found, want) || (want == nil) != errors.Is(err, host.ErrNotMounted) {
				t.Errorf("%s: %q, %v", pattern, found, err)
			}
		}
		if ok, err := h.Exists("/srv/x"); ok || !errors.Is(err, host.ErrNotMounted) {
			t.Errorf("whether something exists that is not mounted: %t, %v", ok, err)
		}
		if _, err := r.AddWatch(-1, "/srv", 0); !errors.Is(err, host.ErrNotMounted) {
			t.Errorf("watching what is not mounted: %v", err)
		}
		if got := r.Parts(); len(got) != 9 || got[0] != "/bin" || got[8] != "/var/log" {
			t.Errorf("parts: %q", got)
		}
	})
}

// TestPartsUnmerged: where /lib is no link, it is none, and nothing is said of /lib64.
func TestPartsUnmerged(t *testing.T) {
	if !mounttest.Allowed(t) {
		return
	}
	node := t.TempDir()
	write(t, node, "lib/file", "/lib/file")
	write(t, node, "usr/lib/file", "/usr/lib/file")
	write(t, node, "usr/lib64/file", "/usr/lib64/file")
	inParts(t, mounttest.Container(t, node, "/lib", "/usr"), func(t *testing.T, r *host.Root) {
		t.Helper()
		for _, name := range []string{"/lib/file", "/usr/lib/file"} {
			if data, info, err := r.ReadFile(name, 100); err != nil || string(data) != name || info.Path != name {
				t.Errorf("%s: %q at %s, %v", name, data, info.Path, err)
			}
		}
		if info, err := r.Lstat("/lib"); err != nil || info.Type != fs.ModeDir {
			t.Errorf("/lib: %+v, %v", info, err)
		}
		if _, err := r.Stat("/lib64/file"); !errors.Is(err, host.ErrNotMounted) {
			t.Errorf("/lib64: %v", err)
		}
	})
}

// TestPartsLater: what the node mounts after the pod has started, below a part and over one,
// is seen where mounts follow the node's.
func TestPartsLater(t *testing.T) {
	if !mounttest.Allowed(t) {
		return
	}
	node := t.TempDir()
	must(t, unix.Mount(node, node, "", unix.MS_BIND, ""))
	must(t, unix.Mount("", node, "", unix.MS_SHARED, ""))
	t.Cleanup(func() { _ = unix.Unmount(node, unix.MNT_DETACH) })
	write(t, node, "etc/below/file", "before")
	write(t, node, "boot/file", "before")
	dir := mounttest.Container(t, node, "/boot", "/etc")
	inParts(t, dir, func(t *testing.T, r *host.Root) {
		t.Helper()
		check := func(want string) {
			t.Helper()
			for _, name := range []string{"/boot/file", "/etc/below/file"} {
				if data, info, err := r.ReadFile(name, 100); err != nil || string(data) != want || info.Path != name {
					t.Errorf("%s: %q at %s, %v; want %s", name, data, info.Path, err, want)
				}
			}
		}
		check("before")
		for _, name := range []string{"boot", "etc/below"} {
			must(t, unix.Mount("none", filepath.Join(node, name), "tmpfs", 0, ""))
			write(t, node, name+"/file", "after")
		}
		check("after")
		for _, name := range []string{"boot", "etc/below"} {
			must(t, unix.Unmount(filepath.Join(node, name), 0))
		}
		check("before")
	})
}

// TestNothingMounted: a directory with nothing mounted below it is no node in parts.
func TestNothingMounted(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "etc/file", "the container's")
	if r, err := host.OpenParts(dir); err == nil || !strings.Contains(err.Error(), "nothing is mounted") {
		t.Errorf("%v, %v", r, err)
	}
}
