package osrelease_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
	"github.com/hardgate-dev/hardgate/nodecheck/host/osrelease"
)

func TestRead(t *testing.T) {
	for name, test := range map[string]struct {
		archive string
		want    *osrelease.Release
		err     error
	}{
		"link": {
			archive: "-- etc/os-release -> ../usr/lib/os-release --\n-- usr/lib/os-release --\nNAME=\"A B\"\nID=ab\nVERSION_ID='1.2'\nPRETTY_NAME=\"A \\\"B\\\" 1\"\nVARIANT_ID=x\n",
			want:    &osrelease.Release{Path: "/etc/os-release", ID: "ab", Name: "A B", VersionID: "1.2", PrettyName: `A "B" 1`, VariantID: "x"},
		},
		"vendor only": {
			archive: "-- usr/lib/os-release --\n# ID=no\n ID=yes\nID_LIKE=other\nnonsense\n",
			want:    &osrelease.Release{Path: "/usr/lib/os-release", ID: "yes"},
		},
		"the last one counts": {
			archive: "-- etc/os-release --\nID=a\nID=b\n",
			want:    &osrelease.Release{Path: "/etc/os-release", ID: "b"},
		},
		"absent":     {err: fs.ErrNotExist},
		"unreadable": {archive: "-- etc/os-release unreadable --\n-- usr/lib/os-release --\nID=a\n", err: fs.ErrPermission},
		"no text":    {archive: "-- etc/os-release nul --\nID=a\n", err: host.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			tree, err := hosttest.Text(test.archive)
			if err != nil {
				t.Fatal(err)
			}
			got, err := osrelease.Read(host.New(tree))
			if !errors.Is(err, test.err) {
				t.Fatalf("%v, want %v", err, test.err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add("NAME=\"A B\"\nID=ab\n")
	f.Add("ID='\\\nVERSION_ID=\"")
	f.Fuzz(func(t *testing.T, text string) {
		tree, err := hosttest.Text("")
		if err != nil {
			t.Fatal(err)
		}
		tree.Write("/etc/os-release", text)
		if r, err := osrelease.Read(host.New(tree)); err == nil && len(r.ID) > len(text) {
			t.Errorf("%q of %q", r.ID, text)
		}
	})
}
