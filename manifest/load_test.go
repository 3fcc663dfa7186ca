package manifest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/manifest"
)

// tree makes files under a new directory, which becomes the working directory.
// A content that starts with "->" makes a link.
func tree(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(content, "->"); ok {
			err = os.Symlink(target, name)
		} else {
			err = os.WriteFile(name, []byte(content), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

const build = `("kubectl kustomize DIR | hardgate check -f -")`

func TestLoad(t *testing.T) {
	tests := map[string]struct {
		files map[string]string
		names []string
		stdin string
		want  []string // sources
		errs  []string
		notes []string
		count int
	}{
		"file of any name": {
			files: map[string]string{"web": yamlA}, names: []string{"./web"}, want: []string{"./web#0"}, count: 1,
		},
		"directory": {
			files: map[string]string{"d/b.YML": yamlA, "d/a/z.json": podA, "d/c.yaml": yamlA, "d/README.md": "# x: [", "d/.h.yaml": yamlA},
			names: []string{"d"},
			want:  []string{"d/.h.yaml#0", "d/a/z.json#0", "d/b.YML#0", "d/c.yaml#0"}, count: 4,
		},
		"in the order of the names": {
			files: map[string]string{"b.yaml": yamlB, "d/a.yaml": yamlA}, names: []string{"b.yaml", "-", "d/"}, stdin: yamlA,
			want: []string{"b.yaml#0", "-#0", "d/a.yaml#0"}, count: 3,
		},
		"standard input twice": {
			names: []string{"-", "-"}, stdin: yamlA, want: []string{"-#0"}, count: 1,
			errs: []string{"-: standard input can be read once only"},
		},
		"links to a file, a directory and upwards": {
			files: map[string]string{"real/a.yaml": yamlA, "d/l.yaml": "->../real/a.yaml", "d/sub": "->../more", "more/b.yaml": yamlB, "d/up": "->..", "d/self": "->."},
			names: []string{"d"},
			want:  []string{"d/l.yaml#0", "d/sub/b.yaml#0"}, count: 2,
		},
		"a mounted ConfigMap": {
			files: map[string]string{"m/..1/a.yaml": yamlA, "m/..data": "->..1", "m/a.yaml": "->..data/a.yaml"},
			names: []string{"m"}, want: []string{"m/..1/a.yaml#0"}, count: 1,
		},
		"dangling link": {
			files: map[string]string{"d/l.yaml": "->gone", "d/other": "->gone", "d/a.yaml": yamlA}, names: []string{"d"},
			want: []string{"d/a.yaml#0"}, errs: []string{"d/l.yaml: no such file or directory"}, count: 1,
		},
		"link to itself": {
			files: map[string]string{"l.yaml": "->l.yaml"}, names: []string{"l.yaml"},
			errs: []string{"l.yaml: too many levels of symbolic links"},
		},
		"nothing to read in the directory": {
			files: map[string]string{"d/README.md": "x", "d/e/f.txt": "x"}, names: []string{"d"},
			errs: []string{"d: no file in this directory ends in .yaml, .yml or .json"},
		},
		"missing":  {names: []string{"gone.yaml"}, errs: []string{"gone.yaml: no such file or directory"}},
		"no name":  {names: []string{""}, errs: []string{`"": an empty name`}},
		"a device": {names: []string{"/dev/zero"}, errs: []string{"/dev/zero: neither a file nor a directory"}},
		"a bad file among good ones": {
			files: map[string]string{"d/a.yaml": yamlA, "d/b.yaml": "\xff", "d/c.yaml": yamlB + "---\nx: [\n"}, names: []string{"d", "gone"},
			want: []string{"d/a.yaml#0", "d/c.yaml#0"}, count: 3,
			errs: []string{
				"d/b.yaml: not a text file in UTF-8", "d/c.yaml#1: line 5: did not find expected node content",
				"gone: no such file or directory",
			},
		},
		"kustomization in a directory": {
			files: map[string]string{"d/kustomization.yaml": "resources: [a.yaml]\n", "d/a.yaml": yamlA}, names: []string{"d"},
			want: []string{"d/a.yaml#0"}, count: 2,
			notes: []string{"d/kustomization.yaml#0: a kustomization, passed over: build it first " + build},
		},
		"an object in a kustomization's clothes": {
			files: map[string]string{"d/kustomization.yaml": "resources: []\n---\n" + yamlA}, names: []string{"d"},
			want: []string{"d/kustomization.yaml#1"}, count: 1,
			notes: []string{"d/kustomization.yaml#0: a kustomization, passed over: build it first " + build},
		},
		"kustomization by name": {
			files: map[string]string{"d/kustomization.yaml": "resources: [a.yaml]\n"}, names: []string{"d/kustomization.yaml"}, count: 1,
			errs: []string{"d/kustomization.yaml#0: a kustomization is no object of a cluster: build it first " + build},
		},
		"chart": {
			files: map[string]string{"c/Chart.yaml": "apiVersion: v2\nname: c\n"}, names: []string{"c"}, count: 1,
			errs: []string{`c/Chart.yaml#0: apiVersion and kind are not both set; it looks like a template: render it first ("helm template CHART | hardgate check -f -")`},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tree(t, tt.files)
			set, errs := manifest.Load(tt.names, strings.NewReader(tt.stdin))
			var sources []string
			for _, o := range set.Objects {
				sources = append(sources, o.Source)
			}
			_, problems := got(set, errs)
			if diff := cmp.Diff(tt.want, sources); diff != "" {
				t.Errorf("sources (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.errs, problems); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.notes, set.Notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
			if set.Files != tt.count {
				t.Errorf("%d files, want %d", set.Files, tt.count)
			}
		})
	}
}
