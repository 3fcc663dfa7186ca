package lab

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDownRemovesOnlyItsOwn(t *testing.T) {
	tests := map[string]struct {
		files      []string
		keep       bool
		wantErr    bool
		wantRemain bool
	}{
		"a lab":           {files: []string{marker, "kubeconfig"}},
		"a lab to keep":   {files: []string{marker}, keep: true, wantRemain: true},
		"a home":          {files: []string{".profile"}, wantErr: true, wantRemain: true},
		"an empty one":    {},
		"nothing at all":  {files: nil},
		"a half-made lab": {files: []string{marker}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "lab")
			if name != "nothing at all" {
				if err := os.Mkdir(dir, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			for _, file := range tc.files {
				if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := Down(t.Context(), dir, tc.keep, t.Logf); (err != nil) != tc.wantErr {
				t.Errorf("Down = %v", err)
			}
			if _, err := os.Stat(dir); (err == nil) != tc.wantRemain {
				t.Errorf("the directory remains: %t, want %t", err == nil, tc.wantRemain)
			}
		})
	}
}
