package bench

import (
	"path/filepath"
	"testing"
)

// What is recorded keeps the sizes that the measurements are quoted for.
func TestRecordedRequests(t *testing.T) {
	for name, want := range map[string]struct{ files, least, most int }{
		"small": {8, 3 << 10, 5 << 10},
		"large": {4, 50 << 10, 70 << 10},
	} {
		set, err := Load(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if len(set) != want.files {
			t.Errorf("%d %s requests, want %d", len(set), name, want.files)
		}
		for _, r := range set {
			if n := len(r.Body); n < want.least || n > want.most {
				t.Errorf("%s/%s has %d bytes, want %d to %d", name, r.Name, n, want.least, want.most)
			}
		}
	}
}
