//go:build linux

package host_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// TestProc: the short way through the root's own /proc gives what the long one gives.
func TestProc(t *testing.T) {
	fast, err := host.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	slow, err := host.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	slow.WithoutOpenat2()
	t.Cleanup(func() { _, _ = fast.Close(), slow.Close() })
	for _, name := range []string{
		"/proc/version", "/proc/sys/kernel/osrelease", "/proc/self/cmdline", "/proc/1/status", "/proc/net/protocols", "/proc/mounts",
		"/proc/no-such-file", "/proc/99999999/cmdline", "/proc/self/exe", "/proc/self/ns/net", "/proc/1",
		"/proc/../etc/hostname", "/proc/sys/../version", "/proc/self/fd/0", "/proc/", "/proc/kmsg/x",
	} {
		a, ai, aerr := fast.ReadFile(name, host.MaxFile)
		b, bi, berr := slow.ReadFile(name, host.MaxFile)
		if (aerr == nil) != (berr == nil) || (aerr != nil && aerr.Error() != berr.Error()) {
			t.Errorf("%s: %v and %v", name, aerr, berr)
			continue
		}
		if aerr == nil && (!bytes.Equal(a, b) || ai.Path != bi.Path || ai.Mode != bi.Mode || ai.Type != bi.Type || ai.Size != bi.Size) {
			t.Errorf("%s: %q %+v and %q %+v", name, a, ai, b, bi)
		}
	}
	if _, _, err := fast.ReadFile("/proc/version", 10); !errors.Is(err, host.ErrTooLarge) {
		t.Errorf("a file over the limit: %v", err)
	}
}

// TestProcOfACopy: in a copied tree /proc is a directory like any other, where a FIFO
// must not be opened.
func TestProcOfACopy(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "proc"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(filepath.Join(dir, "proc", "version"), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := host.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	if _, _, err := root.ReadFile("/proc/version", host.MaxFile); !errors.Is(err, host.ErrNotRegular) {
		t.Errorf("a FIFO: %v", err)
	}
}
