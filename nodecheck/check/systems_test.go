package check

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

// systems are those whose whole verdict is written down in testdata/systems, by the
// rules of the source documents.
var systems = []string{
	"azurelinux-3", "bottlerocket", "debian-12", "debian-13", "flatcar", "ubuntu-16.04", "ubuntu-22.04", "ubuntu-24.04",
}

func TestSystems(t *testing.T) {
	for _, name := range systems {
		t.Run(name, func(t *testing.T) {
			archive, err := txtar.ParseFile(filepath.Join("testdata", "systems", name+".txtar"))
			if err != nil {
				t.Fatal(err)
			}
			tree, err := hosttest.Parse(archive)
			if err != nil {
				t.Fatal(err)
			}
			got := summary(Run(host.New(tree), All(), NewRules()))
			golden := filepath.Join("testdata", "systems", name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
		})
	}
	files, err := filepath.Glob(filepath.Join("testdata", "systems", "*.txtar"))
	if err != nil || len(files) != len(systems) {
		t.Errorf("%d trees, want %d (%v)", len(files), len(systems), err)
	}
}

// summary is a line for each verdict and the findings below it; evidence below a pass.
func summary(verdicts []Verdict) string {
	var b strings.Builder
	for _, v := range verdicts {
		fmt.Fprintf(&b, "%-14s %s\n", v.Status, v.Control)
		shown := v.Findings
		if v.Status == control.Pass {
			shown = v.Evidence
		}
		for _, line := range lines(slices.Clone(shown)) {
			fmt.Fprintf(&b, "    %s\n", line)
		}
	}
	return b.String()
}
