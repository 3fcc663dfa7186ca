package enclosure

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/hardgate-dev/hardgate/e2e/process"
)

// What Remove removes is named by a link that may lead anywhere.
func TestRemove(t *testing.T) {
	self, err := process.Self()
	if err != nil {
		t.Fatal(err)
	}
	ended := self
	ended.Started--
	tests := map[string]struct {
		name     string
		first    *process.Identity
		absent   bool
		wantErr  bool
		wantGone bool
	}{
		"one that was killed":                 {name: prefix + "1", first: &ended, wantGone: true},
		"one that was killed at its start":    {name: prefix + "1", wantGone: true},
		"one that is gone":                    {name: prefix + "1", absent: true, wantGone: true},
		"one that runs":                       {name: prefix + "1", first: &self, wantErr: true},
		"a home":                              {name: "home", wantErr: true},
		"a home that says it is one that ran": {name: "home", first: &ended, wantErr: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), tc.name)
			if !tc.absent {
				if err := os.MkdirAll(filepath.Join(dir, "containerd"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			if tc.first != nil {
				text, err := json.Marshal(tc.first)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, firstFile), text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := Remove(dir); (err != nil) != tc.wantErr {
				t.Errorf("Remove = %v", err)
			}
			if _, err := os.Stat(dir); os.IsNotExist(err) != tc.wantGone {
				t.Errorf("it is gone: %t, want %t", os.IsNotExist(err), tc.wantGone)
			}
		})
	}
}
