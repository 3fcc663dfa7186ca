package systemd

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// TestRandom compares random directories of files, links, masks and drop-ins with
// what systemd loads.
func TestRandom(t *testing.T) {
	analyze := tool(t, "systemd-analyze")
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 3))
		archive := randomUnits(r)
		dir := t.TempDir()
		write(t, dir, txtar.Parse([]byte(archive)))
		root, err := host.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		h := host.New(root)
		for _, name := range []string{"a.service", "a-b.service", "c@x.service", "d@x-y.service"} {
			theirs := load(t, analyze, dir, name)
			ours := loadedUnit{dropIns: []string{}}
			u, err := Read(h, name)
			switch {
			case err != nil:
			case u.Masked:
				ours = loadedUnit{load: "masked"}
			default:
				ours = loadedUnit{load: "loaded", file: u.Path, dropIns: u.Files[1:]}
				if argv, _, err := u.Command(h); err == nil {
					ours.command = shell(argv)
				}
			}
			if diff := cmp.Diff(ours, theirs, cmp.AllowUnexported(loadedUnit{})); diff != "" {
				t.Errorf("seed %d, %s: %v (-ours +theirs):\n%s\n%s", seed, name, err, diff, archive)
			}
		}
		_ = root.Close()
		if t.Failed() {
			return
		}
	}
}

func randomUnits(r *rand.Rand) string {
	dirs := []string{"etc/systemd/system/", "run/systemd/system/", "usr/lib/systemd/system/"}
	names := []string{"a.service", "b.service", "a-b.service", "c@.service", "c@x.service", "d@.service", "e.socket"}
	folders := []string{"a.service.d/", "b.service.d/", "a-.service.d/", "a-b.service.d/", "c@.service.d/", "c@x.service.d/", "d@.service.d/", "service.d/", "d@x-y.service.d/"}
	taken := map[string]bool{}
	var b strings.Builder
	for n := range 14 {
		p := dirs[r.IntN(3)] + names[r.IntN(len(names))]
		drop := r.IntN(3) == 0
		if drop {
			p = dirs[r.IntN(3)] + folders[r.IntN(len(folders))] + []string{"1.conf", "2.conf", "3.conf"}[r.IntN(3)]
		}
		if taken[p] {
			continue
		}
		taken[p] = true
		switch kind := r.IntN(6); {
		case drop && kind == 0:
			fmt.Fprintf(&b, "-- %s --\n", p)
		case drop:
			fmt.Fprintf(&b, "-- %s --\n[Service]\nExecStart=\nExecStart=/bin/true %d\n", p, n)
		case kind == 0:
			fmt.Fprintf(&b, "-- %s --\n", p)
		case kind < 3:
			fmt.Fprintf(&b, "-- %s -> %s --\n", p, "/"+dirs[r.IntN(3)]+names[r.IntN(len(names))])
		default:
			fmt.Fprintf(&b, "-- %s --\n[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/true %d\n", p, n)
		}
	}
	return b.String()
}
