//go:build linux

package host_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

const raceTime = 300 * time.Millisecond

// meanwhile runs a function over and over while a test does its work.
func meanwhile(t *testing.T, disturb func()) (done <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), raceTime)
	var running sync.WaitGroup
	running.Go(func() {
		for ctx.Err() == nil {
			disturb()
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	return ctx.Done()
}

// TestLinkRace swaps a directory for links that lead out of the root by every way
// that there is, as fast as it can. What is outside is never read.
func TestLinkRace(t *testing.T) {
	for name, target := range map[string]string{
		"absolute": "outside",             // made absolute below
		"dots":     "../../../../outside", // as far up as it goes
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			write(t, top, "outside/file", "outside")
			dir := filepath.Join(top, "node")
			write(t, dir, "a/real/file", "inside")
			if name == "absolute" {
				target = filepath.Join(top, "outside")
			}
			link(t, dir, target, "a/link")
			link(t, dir, "../a/x/../x/file", "a/through")
			swap := func() { // x is the directory, then the link, and never missing
				_ = unix.Renameat2(unix.AT_FDCWD, dir+"/a/link", unix.AT_FDCWD, dir+"/a/x", unix.RENAME_EXCHANGE)
			}
			must(t, os.Rename(dir+"/a/real", dir+"/a/x"))
			roots(t, dir, func(t *testing.T, r *host.Root) {
				t.Helper()
				inside := 0
				for done := meanwhile(t, swap); ; {
					select {
					case <-done:
						if inside == 0 {
							t.Error("the file was never read at all")
						}
						return
					default:
					}
					for _, p := range []string{"/a/x/file", "/a/through", "/a/x/../x/file"} {
						data, _, err := r.ReadFile(p, 100)
						switch {
						case err == nil && string(data) == "inside":
							inside++
						case err == nil:
							t.Fatalf("%s: read %q", p, data)
						}
						if entries, err := r.ReadDir("/a/x"); err == nil && (len(entries) != 1 || entries[0].Name != "file") {
							t.Fatalf("listed %v", entries)
						}
					}
				}
			})
		})
	}
}

// TestDotsRace moves a directory out from below its parent while ".." goes up from
// it: the parent that it had counts, or none.
func TestDotsRace(t *testing.T) {
	top := t.TempDir()
	write(t, top, "file", "outside")
	write(t, top, "away/file", "outside")
	dir := filepath.Join(top, "node")
	write(t, dir, "a/b/c/file", "inside")
	write(t, dir, "file", "inside")
	in, out := dir+"/a/b", top+"/away/b"
	move := func() {
		_ = os.Rename(in, out)
		_ = os.Rename(out, in)
	}
	roots(t, dir, func(t *testing.T, r *host.Root) {
		t.Helper()
		for done := meanwhile(t, move); ; {
			select {
			case <-done:
				return
			default:
			}
			if data, _, err := r.ReadFile("/a/b/c/../../../file", 100); err == nil && string(data) != "inside" {
				t.Fatalf("read %q", data)
			}
		}
	})
}

// TestChanging: a file that is written to all the time is read whole or not at all.
func TestChanging(t *testing.T) {
	dir := t.TempDir()
	const size = 64 << 10
	write(t, dir, "file", strings.Repeat("a", size))
	f, err := os.OpenFile(filepath.Join(dir, "file"), os.O_WRONLY, 0)
	must(t, err)
	t.Cleanup(func() { _ = f.Close() })
	letter := byte('a')
	page := make([]byte, size)
	rewrite := func() {
		letter = 'a' + (letter-'a'+1)%26
		for i := range page {
			page[i] = letter
		}
		for at := 0; at < size; at += 4096 {
			_, _ = f.WriteAt(page[at:at+4096], int64(at))
		}
		time.Sleep(time.Millisecond)
	}
	roots(t, dir, func(t *testing.T, r *host.Root) {
		t.Helper()
		for done := meanwhile(t, rewrite); ; {
			select {
			case <-done:
				return
			default:
			}
			data, _, err := r.ReadFile("/file", size)
			if err == nil && len(data) != size {
				t.Fatalf("%d bytes", len(data))
			}
			if err != nil && !errors.Is(err, host.ErrChanging) {
				t.Fatal(err)
			}
		}
	})
}

// TestGrowing: a log that is appended to never ends, and reading it does.
func TestGrowing(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file", "")
	f, err := os.OpenFile(filepath.Join(dir, "file"), os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	t.Cleanup(func() { _ = f.Close() })
	more := make([]byte, 4096)
	grow := func() {
		if info, err := f.Stat(); err == nil && info.Size() > 8<<20 {
			_ = f.Truncate(0)
		}
		_, _ = f.Write(more)
	}
	r := open(t, dir)
	for done := meanwhile(t, grow); ; {
		select {
		case <-done:
			return
		default:
		}
		_, _, err := r.ReadFile("/file", 1<<20)
		if err != nil && !errors.Is(err, host.ErrChanging) && !errors.Is(err, host.ErrTooLarge) {
			t.Fatal(err)
		}
	}
}

// TestReplaced: a file that is replaced by another one is the old or the new one.
func TestReplaced(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file", strings.Repeat("a", 10000))
	n := 0
	replace := func() {
		n++
		letter := string(rune('a' + n%26))
		p := filepath.Join(dir, "new")
		_ = os.WriteFile(p, []byte(strings.Repeat(letter, 10000+n%26)), 0o600)
		_ = os.Rename(p, filepath.Join(dir, "file"))
	}
	roots(t, dir, func(t *testing.T, r *host.Root) {
		t.Helper()
		for done := meanwhile(t, replace); ; {
			select {
			case <-done:
				return
			default:
			}
			data, info, err := r.ReadFile("/file", 1<<20)
			if errors.Is(err, host.ErrChanging) {
				continue // its times and links change when its name goes
			}
			must(t, err)
			if info.Path != "/file" {
				t.Fatalf("it is at %s", info.Path)
			}
			if want := 10000 + int(data[0]-'a'); len(data) != want || strings.Count(string(data), string(data[:1])) != want {
				t.Fatalf("%d bytes of %q", len(data), data[:1])
			}
		}
	})
}

// TestRootIsShared: a scan that hangs and the next one use one root, also while it is
// renamed and the kernel turns out to lack openat2.
func TestRootIsShared(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "root")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	root, err := host.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 200 {
				if _, info, err := root.ReadFile("/link", 10); err != nil || info.Path != "/file" && info.Path != "/link" {
					t.Errorf("ReadFile() = %q, %v", info.Path, err)
					return
				}
			}
		})
	}
	if err := os.Rename(dir, dir+"-renamed"); err != nil {
		t.Error(err)
	}
	root.WithoutOpenat2()
	readers.Wait()
}
