//go:build linux

package host_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// roots runs a test with both ways to resolve a path.
func roots(t *testing.T, dir string, test func(*testing.T, *host.Root)) {
	t.Helper()
	for name, walk := range map[string]bool{"openat2": false, "walk": true} {
		t.Run(name, func(t *testing.T) {
			r := open(t, dir)
			if walk {
				r.WithoutOpenat2()
			} else if _, _ = r.Stat("/"); !r.HasOpenat2() {
				t.Skip("this kernel or its seccomp profile has no openat2")
			}
			test(t, r)
		})
	}
}

func open(tb testing.TB, dir string) *host.Root {
	tb.Helper()
	r, err := host.Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = r.Close() })
	return r
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// memory is a directory for thousands of files, in memory where there is one.
func memory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "hardgate") //nolint:usetesting // TempDir is on disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// write makes a file below dir with the directories above it.
func write(tb testing.TB, dir, name, content string) {
	tb.Helper()
	p := filepath.Join(dir, name)
	must(tb, os.MkdirAll(filepath.Dir(p), 0o755))
	must(tb, os.WriteFile(p, []byte(content), 0o600))
}

func link(tb testing.TB, dir, target, name string) {
	tb.Helper()
	p := filepath.Join(dir, name)
	must(tb, os.MkdirAll(filepath.Dir(p), 0o755))
	must(tb, os.Symlink(target, p))
}

// TestEscape: outside has a file of every name that is asked for, and none of it
// is ever read.
func TestEscape(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "node")
	write(t, top, "secret", "outside")
	write(t, top, "etc/secret", "outside")
	write(t, dir, "etc/inside", "inside")
	write(t, dir, "secret", "inside")
	link(t, dir, "/etc/inside", "absolute")
	link(t, dir, "../../../../etc/inside", "etc/dots")
	link(t, dir, "../secret", "up")
	link(t, dir, "..", "a/b/parent")
	link(t, dir, top+"/secret", "full")
	link(t, dir, "/", "slash")
	link(t, dir, "/absolute", "etc/chain")
	link(t, dir, "loop2", "loop1")
	link(t, dir, "loop1", "loop2")
	link(t, dir, "self", "self")
	roots(t, dir, func(t *testing.T, r *host.Root) {
		t.Helper()
		for name, want := range map[string]string{
			"/absolute":                    "/etc/inside",
			"absolute":                     "/etc/inside",
			"/etc/dots":                    "/etc/inside",
			"/etc/chain":                   "/etc/inside",
			"/up":                          "/secret",
			"/../secret":                   "/secret",
			"/../../../../secret":          "/secret",
			"/etc/../../secret":            "/secret",
			"/a/b/parent/parent/../secret": "",
			"/a/b/parent/b/../../secret":   "/secret",
			"/slash/slash/../slash/secret": "/secret",
			"/slash/../etc/./inside":       "/etc/inside",
			"/etc/secret":                  "",
			"/full":                        "",
			"/etc/inside/":                 "",
			"/etc/inside/.":                "",
			"/etc/inside/../inside":        "",
			"/etc/inside/more":             "",
			"/etc/nothing/../inside":       "",
			strings.Repeat("/etc/..", 200) + "/secret": "/secret",
		} {
			data, info, err := r.ReadFile(name, 100)
			switch {
			case want == "" && !errors.Is(err, fs.ErrNotExist):
				t.Errorf("%s: %q, %v; want it not to exist", name, data, err)
			case want != "" && (err != nil || string(data) != "inside" || info.Path != want):
				t.Errorf("%s: %q at %s, %v; want %s", name, data, info.Path, err, want)
			}
		}
		for _, name := range []string{"/loop1", "/self", "/self/x"} {
			if _, err := r.Stat(name); !errors.Is(err, host.ErrLoop) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if info, err := r.Lstat("/absolute"); err != nil || info.Link != "/etc/inside" || info.Type != fs.ModeSymlink || info.Path != "/absolute" {
			t.Errorf("the link itself: %+v, %v", info, err)
		}
		if info, err := r.Lstat("/slash/up"); err != nil || info.Link != "../secret" || info.Path != "/up" {
			t.Errorf("a link behind a link: %+v, %v", info, err)
		}
		if info, err := r.Lstat("/slash/"); err != nil || info.Type != fs.ModeDir {
			t.Errorf("a slash after a link follows it: %+v, %v", info, err)
		}
	})
}

// TestManyLinks: as many links as the kernel follows, and one more.
func TestManyLinks(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "0", "end")
	for i := 1; i <= 41; i++ {
		link(t, dir, strconv.Itoa(i-1), strconv.Itoa(i))
	}
	roots(t, dir, func(t *testing.T, r *host.Root) {
		t.Helper()
		if _, _, err := r.ReadFile("/40", 10); err != nil {
			t.Error(err)
		}
		if _, _, err := r.ReadFile("/41", 10); !errors.Is(err, host.ErrLoop) {
			t.Errorf("41 links: %v", err)
		}
	})
}

// TestMagicLinks: those of /proc/<pid> lead out of any root.
func TestMagicLinks(t *testing.T) {
	roots(t, "/", func(t *testing.T, r *host.Root) {
		t.Helper()
		pid := "/proc/" + strconv.Itoa(os.Getpid())
		for _, name := range []string{
			"/root/etc/passwd", "/cwd", "/exe", "/fd/0", "/ns/net", "/root", "/task/" + strconv.Itoa(os.Getpid()) + "/root/etc/passwd",
		} {
			if _, err := r.Stat(pid + name); !errors.Is(err, host.ErrLoop) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, name := range []string{"/proc/self/status", "/proc/mounts", "/proc/net/dev", "/proc/thread-self/status"} {
			if data, _, err := r.ReadFile(name, host.MaxFile); err != nil || len(data) == 0 {
				t.Errorf("%s: %d bytes, %v", name, len(data), err)
			}
		}
	})
}

// TestKernelFiles: files of /proc and /sys tell no size or a wrong one.
func TestKernelFiles(t *testing.T) {
	roots(t, "/", func(t *testing.T, r *host.Root) {
		t.Helper()
		for _, name := range []string{"/proc/sys/kernel/osrelease", "/proc/modules", "/proc/self/cmdline", "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/class/net/lo/address"} {
			want, err := os.ReadFile(name)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			must(t, err)
			if got, _, err := r.ReadFile(name, host.MaxFile); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %q, %v; want %q", name, got, err, want)
			}
		}
		if _, _, err := r.ReadFile("/proc/self/mountinfo", 10); !errors.Is(err, host.ErrTooLarge) {
			t.Errorf("a limit below the content: %v", err)
		}
		if _, _, err := r.ReadFile("/proc/self/mem", 1<<20); err == nil {
			t.Error("/proc/self/mem was read")
		}
	})
}

// TestKinds: what is no regular file is refused at once and never opened.
func TestKinds(t *testing.T) {
	dir := t.TempDir()
	must(t, unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	must(t, os.Mkdir(filepath.Join(dir, "directory"), 0o700))
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "socket"), Net: "unix"})
	must(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	write(t, dir, "file", "text")
	kinds := map[string]fs.FileMode{"fifo": fs.ModeNamedPipe, "directory": fs.ModeDir, "socket": fs.ModeSocket}
	if unix.Mknod(filepath.Join(dir, "device"), unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))) == nil {
		kinds["device"] = fs.ModeDevice | fs.ModeCharDevice
	}
	link(t, dir, "fifo", "link")
	kinds["link"] = fs.ModeNamedPipe
	roots(t, dir, func(t *testing.T, r *host.Root) {
		t.Helper()
		for name, want := range kinds {
			start := time.Now()
			_, info, err := r.ReadFile("/"+name, 100)
			if !errors.Is(err, host.ErrNotRegular) || info.Type != want {
				t.Errorf("%s: type %v, %v", name, info.Type, err)
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("%s took %s", name, took)
			}
			if _, err := r.ReadDir("/" + name); want != fs.ModeDir && !errors.Is(err, host.ErrNotDirectory) {
				t.Errorf("%s as a directory: %v", name, err)
			}
		}
		entries, err := r.ReadDir("/")
		must(t, err)
		for _, e := range entries {
			if want, ok := kinds[e.Name]; ok && e.Name != "link" && e.Type != want {
				t.Errorf("in the list, %s is %v, want %v", e.Name, e.Type, want)
			}
		}
		if _, err := r.ReadDir("/file"); !errors.Is(err, host.ErrNotDirectory) {
			t.Errorf("a file as a directory: %v", err)
		}
	})
}

// TestHuge: a file of a gigabyte costs neither time nor memory.
func TestHuge(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "huge", "")
	must(t, os.Truncate(filepath.Join(dir, "huge"), 1<<30))
	write(t, dir, "fits", strings.Repeat("x", 100))
	write(t, dir, "empty", "")
	roots(t, dir, func(t *testing.T, r *host.Root) {
		t.Helper()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, _, err := r.ReadFile("/huge", host.MaxFile); !errors.Is(err, host.ErrTooLarge) {
			t.Error(err)
		}
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			t.Errorf("%d bytes were allocated", grown)
		}
		if data, _, err := r.ReadFile("/fits", 100); err != nil || len(data) != 100 {
			t.Errorf("a file of just the limit: %d bytes, %v", len(data), err)
		}
		if _, _, err := r.ReadFile("/fits", 99); !errors.Is(err, host.ErrTooLarge) {
			t.Errorf("a byte over the limit: %v", err)
		}
		if data, _, err := r.ReadFile("/empty", 99); err != nil || len(data) != 0 {
			t.Errorf("an empty file: %q, %v", data, err)
		}
	})
}

func TestManyEntries(t *testing.T) {
	dir := memory(t)
	for i := range 20001 {
		must(t, unix.Mknod(filepath.Join(dir, strconv.Itoa(i)), unix.S_IFREG|0o600, 0))
	}
	r := open(t, dir)
	if _, err := r.ReadDir("/"); !errors.Is(err, host.ErrTooLarge) {
		t.Error(err)
	}
	must(t, os.Remove(filepath.Join(dir, "7")))
	entries, err := r.ReadDir("/")
	if err != nil || len(entries) != 20000 || entries[0].Name != "0" || entries[19999].Name != "9999" {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

// TestRootMoves: the directory that was opened stays the root.
func TestRootMoves(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "node")
	for name, walk := range map[string]bool{"openat2": false, "walk": true} {
		t.Run(name, func(t *testing.T) {
			write(t, dir, "etc/file", "first")
			r := open(t, dir)
			if walk {
				r.WithoutOpenat2()
			}
			moved := filepath.Join(top, "moved-"+name)
			must(t, os.Rename(dir, moved))
			write(t, dir, "etc/file", "second")
			data, info, err := r.ReadFile("/etc/file", 100)
			if err != nil || string(data) != "first" || info.Path != "/etc/file" {
				t.Errorf("after a rename: %q at %s, %v", data, info.Path, err)
			}
			must(t, os.RemoveAll(moved))
			if _, _, err := r.ReadFile("/etc/file", 100); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("after it was deleted: %v", err)
			}
			if info, err := r.Stat("/"); err != nil || info.Path != "/" {
				t.Errorf("the deleted root itself: %+v, %v", info, err)
			}
			must(t, os.RemoveAll(dir))
		})
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file", "")
	for _, name := range []string{filepath.Join(dir, "none"), filepath.Join(dir, "file")} {
		if r, err := host.Open(name); err == nil {
			_ = r.Close()
			t.Errorf("%s was opened", name)
		}
	}
}

// TestDescriptors: what is opened is closed, whatever comes of it.
func TestDescriptors(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a/b/file", "text")
	link(t, dir, "/a/b/../b/file", "link")
	link(t, dir, "loop", "loop")
	must(t, unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	roots(t, dir, func(t *testing.T, r *host.Root) {
		t.Helper()
		use := func() {
			for _, name := range []string{"/a/b/file", "/link", "/loop", "/fifo", "/a", "/none", "/a/b/file/x", "/a/b/file/../x"} {
				_, _, _ = r.ReadFile(name, 2)
				_, _, _ = r.ReadFile(name, 100)
				_, _ = r.Stat(name)
				_, _ = r.Lstat(name)
				_, _ = r.ReadDir(name)
			}
		}
		use()
		before := descriptors(t)
		for range 200 { // 1000 times each
			use()
		}
		if after := descriptors(t); after > before {
			t.Errorf("%d descriptors before, %d after", before, after)
		}
	})
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(entries)
}

// TestLongLinks: a link of any length that the kernel takes is read whole.
func TestLongLinks(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file", "text")
	for _, n := range []int{1, 120, 127, 128, 500, 2000} {
		name := "link" + strconv.Itoa(n)
		link(t, dir, strings.Repeat("./", n)+"file", name)
	}
	roots(t, dir, func(t *testing.T, r *host.Root) {
		t.Helper()
		for _, n := range []int{1, 120, 127, 128, 500, 2000} {
			name := "/link" + strconv.Itoa(n)
			info, err := r.Lstat(name)
			if err != nil || len(info.Link) != 2*n+4 {
				t.Errorf("%s: %d bytes, %v", name, len(info.Link), err)
			}
			if data, _, err := r.ReadFile(name, 10); err != nil || string(data) != "text" {
				t.Errorf("%s: %q, %v", name, data, err)
			}
		}
	})
}
