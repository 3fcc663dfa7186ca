//go:build linux

package host_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
	"github.com/hardgate-dev/hardgate/nodecheck/mounttest"
)

// TestPartsDifferential: of random trees, every path in parts is what it is in the whole
// tree, or not mounted; and the tree in memory sees the same of it.
func TestPartsDifferential(t *testing.T) {
	if !mounttest.Allowed(t) {
		return
	}
	top := memory(t)
	hidden, equal := 0, 0
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 2))
		archive := randomTree(random)
		tree, err := hosttest.Text(archive)
		must(t, err)
		dirs := randomParts(random, tree)
		if len(dirs) == 0 {
			continue
		}
		dir := filepath.Join(top, fmt.Sprint(seed))
		toDisk(t, dir, archive)
		whole, memory := open(t, dir), hosttest.NewParts(tree, dirs...)
		kernel, walk := openParts(t, mounttest.Container(t, dir, dirs...)), openParts(t, mounttest.Container(t, dir, dirs...))
		walk.WithoutOpenat2()
		for range 60 {
			name := randomPath(random, 6)
			want, got := look(whole, name), look(kernel, name)
			for field, pair := range map[string][2]string{"stat": {want.Stat, got.Stat}, "lstat": {want.Lstat, got.Lstat}, "read": {want.Read, got.Read}, "dir": {want.Dir, got.Dir}} {
				switch {
				case strings.HasSuffix(pair[1], host.ErrNotMounted.Error()):
					hidden++
				case pair[0] == pair[1]:
					equal++
				default:
					t.Errorf("%s of %s in parts: %s, want %s", field, name, pair[1], pair[0])
				}
			}
			if diff := cmp.Diff(got, look(walk, name)); diff != "" {
				t.Errorf("%s (-kernel +walk):\n%s", name, diff)
			}
			if diff := cmp.Diff(got, look(memory, name)); diff != "" {
				t.Errorf("%s (-kernel +tree):\n%s", name, diff)
			}
			if t.Failed() {
				t.Fatalf("seed %d, %q\n%s", seed, dirs, archive)
			}
		}
	}
	if hidden < 1000 || equal < 1000 {
		t.Errorf("%d answers hidden and %d equal: these trees say too little", hidden, equal)
	}
}

func openParts(t *testing.T, dir string) *host.Root {
	t.Helper()
	r, err := host.OpenParts(dir)
	must(t, err)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// randomParts are some directories of a tree, none below another.
func randomParts(r *rand.Rand, tree *hosttest.Tree) (dirs []string) {
	for _, dir := range []string{"/a", "/b", "/c", "/a/a", "/a/b", "/b/c", "/c/a"} {
		below := slices.ContainsFunc(dirs, func(other string) bool { return strings.HasPrefix(dir, other+"/") })
		info, err := tree.Stat(dir)
		if err == nil && info.Type == fs.ModeDir && info.Path == dir && !below && r.IntN(2) == 0 {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}
