//go:build linux

package host_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

// TestDifferential: random trees of files, directories and links look the same to
// the kernel's way to resolve a path, to this package's and to the tree in memory.
func TestDifferential(t *testing.T) {
	top := memory(t)
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		archive := randomTree(r)
		dir := filepath.Join(top, fmt.Sprint(seed))
		toDisk(t, dir, archive)
		tree, err := hosttest.Text(archive)
		must(t, err)
		kernel, walk := open(t, dir), open(t, dir)
		walk.WithoutOpenat2()
		for range 60 {
			name := randomPath(r, 6)
			want := look(kernel, name)
			if !kernel.HasOpenat2() {
				t.Log("without openat2, the walk is compared with the tree only")
			}
			if diff := cmp.Diff(want, look(walk, name)); diff != "" {
				t.Errorf("%s (-kernel +walk):\n%s", name, diff)
			}
			if diff := cmp.Diff(want, look(tree, name)); diff != "" {
				t.Errorf("%s (-kernel +tree):\n%s", name, diff)
			}
			if t.Failed() {
				t.Fatalf("seed %d\n%s", seed, archive)
			}
		}
	}
}

// FuzzRoot: no path leads out of a root, and both ways to resolve it agree.
func FuzzRoot(f *testing.F) {
	for _, s := range []string{"/in", "../out", "/up/out", "/full", "/a/../../out", "a/b/../../../in/", "/loop/x", "/a//./b/up/..", "\x00", "/proc/self/root"} {
		f.Add(s)
	}
	top := f.TempDir()
	dir := filepath.Join(top, "node")
	write(f, top, "out", "outside")
	write(f, dir, "in", "inside")
	write(f, dir, "a/b/in", "inside")
	link(f, dir, "..", "up")
	link(f, dir, "../../..", "a/up")
	link(f, dir, filepath.Join(top, "out"), "full")
	link(f, dir, "/a/../up/a/b/", "a/b/back")
	link(f, dir, "loop", "loop")
	kernel, walk := open(f, dir), open(f, dir)
	walk.WithoutOpenat2()
	f.Fuzz(func(t *testing.T, name string) {
		want := look(kernel, name)
		if strings.Contains(want.Read, "outside") {
			t.Errorf("%q leads out", name)
		}
		if name == "" || len(name) > 200 {
			return // the kernel's own limits on names come in another order
		}
		if diff := cmp.Diff(want, look(walk, name)); diff != "" {
			t.Errorf("%q (-kernel +walk):\n%s", name, diff)
		}
	})
}

var names = []string{"a", "b", "c"}

// randomPath has few names, so that it often leads somewhere.
func randomPath(r *rand.Rand, longest int) string {
	var b strings.Builder
	for range 1 + r.IntN(longest) {
		switch n := r.IntN(10); {
		case n == 0:
			b.WriteString("/.")
		case n < 3:
			b.WriteString("/..")
		default:
			b.WriteString("/" + names[r.IntN(len(names))])
		}
	}
	if r.IntN(8) == 0 {
		b.WriteString("/")
	}
	return b.String()
}

func randomTree(r *rand.Rand) string {
	var b strings.Builder
	directories, taken := []string{""}, map[string]bool{}
	for range 4 + r.IntN(16) {
		parent := directories[r.IntN(len(directories))]
		name := parent + names[r.IntN(len(names))]
		if taken[name] {
			continue
		}
		taken[name] = true
		switch r.IntN(3) {
		case 0:
			fmt.Fprintf(&b, "-- %s --\n%s\n", name, name)
		case 1:
			directories = append(directories, name+"/")
			fmt.Fprintf(&b, "-- %s/ --\n", name)
		default:
			target := randomPath(r, 4)
			if r.IntN(2) == 0 {
				target = target[1:]
			}
			fmt.Fprintf(&b, "-- %s -> %s --\n", name, target)
		}
	}
	return b.String()
}

func toDisk(t *testing.T, dir, archive string) {
	t.Helper()
	must(t, os.Mkdir(dir, 0o755))
	for text := range strings.SplitSeq(archive, "-- ") {
		head, content, ok := strings.Cut(text, " --\n")
		if !ok {
			continue
		}
		name, target, isLink := strings.Cut(head, " -> ")
		p := filepath.Join(dir, name)
		var err error
		switch {
		case isLink:
			err = os.Symlink(target, p)
		case strings.HasSuffix(name, "/"):
			err = os.Mkdir(p, 0o755)
		default:
			err = os.WriteFile(p, []byte(content), 0o644)
		}
		must(t, err)
	}
}

// seen is what an FS says of a path, without what differs between disks.
type seen struct {
	Stat, Lstat, Link, Read, Dir string
}

func look(files host.FS, name string) (s seen) {
	info, err := files.Stat(name)
	s.Stat = info.Path + " " + info.Type.String() + reason(err)
	info, err = files.Lstat(name)
	s.Lstat, s.Link = info.Path+" "+info.Type.String()+reason(err), info.Link
	data, info, err := files.ReadFile(name, 1000)
	s.Read = info.Path + " " + string(data) + reason(err)
	entries, err := files.ReadDir(name)
	s.Dir = fmt.Sprint(entries) + reason(err)
	return s
}

// reason is the sentinel that an error wraps.
func reason(err error) string {
	if err == nil {
		return ""
	}
	for _, sentinel := range []error{
		fs.ErrNotExist, fs.ErrPermission, host.ErrNotRegular, host.ErrNotDirectory, host.ErrTooLarge, host.ErrLoop, host.ErrChanging, host.ErrNotMounted,
	} {
		if errors.Is(err, sentinel) {
			return " " + sentinel.Error()
		}
	}
	return " " + err.Error()
}
