//go:build linux

package watch

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/mounttest"
)

// TestParts: where single directories of a node are mounted, what is in them is watched and
// not polled, what is not mounted is passed over, and one that is replaced as a whole is
// named.
func TestParts(t *testing.T) {
	if !mounttest.Allowed(t) {
		return
	}
	n := &node{t: t, dir: t.TempDir()}
	for _, name := range []string{"etc/file", "usr/lib/file", "var/lib/deep/file", "srv/file"} {
		n.write(name, "x")
	}
	n.link("usr/lib", "lib")
	n.link("/srv/file", "etc/out")
	root, err := host.OpenParts(mounttest.Container(t, n.dir, "/etc", "/lib", "/usr", "/var/lib"))
	n.must(err)
	n.root, n.watcher = root, New(t.Context(), root)
	t.Cleanup(func() { n.must(errors.Join(n.watcher.Close(), root.Close())) })
	n.scan(func(h *host.Host) {
		for _, name := range []string{"/etc/file", "/etc/none", "/etc/out", "/lib/file", "/var/lib/deep/file", "/srv/file", "/srv/none"} {
			_, _ = h.File(name)
		}
	})
	if directories, limited := n.watcher.Watched(); limited || directories == 0 {
		t.Errorf("%d directories are watched, and others polled: %t", directories, limited)
	}
	for name, want := range map[string]string{"etc/file": "/etc/file", "etc/none": "/etc/none", "usr/lib/file": "/usr/lib/file", "var/lib/deep/file": "/var/lib/deep/file"} {
		n.write(name, "y")
		if got := n.changed(); !slices.Contains(got, want) {
			t.Errorf("%s was written: %q, want %s", name, got, want)
		}
	}
	// What is above a part is not the node's, and reports nothing.
	n.must(os.Chmod(filepath.Join(n.dir, "etc"), 0o700))
	if got := n.changed(); !slices.Equal(got, []string{"/etc"}) {
		t.Errorf("/etc has another mode: %q", got)
	}
	n.must(os.Rename(filepath.Join(n.dir, "etc"), filepath.Join(n.dir, "etc.old")))
	if got := n.changed(); !slices.Equal(got, []string{"/etc"}) {
		t.Errorf("/etc was replaced: %q", got)
	}
}
