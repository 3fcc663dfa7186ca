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
	"time"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

// derivation counts how often something is made of a file.
type derivation struct {
	root *host.Root
	kept host.Kept
	made int
}

func (d *derivation) get(t *testing.T, name string) (string, error) {
	t.Helper()
	h := host.New(d.root)
	host.Provide(h, &d.kept)
	text, err := host.Derive(h, name, "upper", host.MaxFile, func(f *host.File) (string, error) {
		d.made++
		return strings.ToUpper(string(f.Data)), nil
	})
	if !slices.Contains(h.Touched(), name) || (err == nil && !slices.Contains(h.Opened(), name)) {
		t.Errorf("the scan does not say that it looked at %s: %q, %q", name, h.Touched(), h.Opened())
	}
	return text, err
}

// TestDerive: what was made of a file stands until the file is another, and every way
// to change one is seen.
func TestDerive(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "status")
	old := time.Now().Add(-time.Hour)
	write := func(name, text string) {
		t.Helper()
		if err := errors.Join(os.WriteFile(name, []byte(text), 0o600), os.Chtimes(name, old, old)); err != nil {
			t.Fatal(err)
		}
	}
	root, err := host.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	d := derivation{root: root}
	want := func(text string, made int) {
		t.Helper()
		got, err := d.get(t, "/status")
		if err != nil || got != text || d.made != made {
			t.Fatalf("got %q (%v), made %d times; want %q, made %d times", got, err, d.made, text, made)
		}
	}
	if _, err := d.get(t, "/status"); !errors.Is(err, fs.ErrNotExist) || d.made != 0 {
		t.Fatalf("of a file that does not exist: %v", err)
	}
	write(path, "one")
	want("ONE", 1)
	want("ONE", 2) // whoever wrote it may write again within the clock's step
	time.Sleep(2100 * time.Millisecond)
	want("ONE", 3)
	want("ONE", 3)
	// As long, and with the times set back: the time of the change cannot be set.
	write(path, "two")
	want("TWO", 4)
	// Another file in its place.
	write(path+".new", "new")
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	want("NEW", 5)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := d.get(t, "/status"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a file that is gone: %v", err)
	}
}

// TestDeriveWithoutKept: nothing is kept where nobody asked for it or the file system
// cannot tell.
func TestDeriveWithoutKept(t *testing.T) {
	tree, err := hosttest.Text("-- a --\none\n")
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for range 2 {
		h := host.New(tree)
		host.Provide(h, &host.Kept{})
		got, err := host.Derive(h, "/a", "", host.MaxFile, func(f *host.File) (int, error) { made++; return len(f.Data), nil })
		if err != nil || got != 4 {
			t.Errorf("Derive() = %d, %v", got, err)
		}
	}
	if made != 2 {
		t.Errorf("made %d times, want 2", made)
	}
}
