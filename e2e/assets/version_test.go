package assets

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVersions(t *testing.T) {
	cfg := repo(t, goMod)
	newest := filepath.Join(cfg.Repo, "e2e", "controlplane")
	old := filepath.Join(newest, "1.32")
	if err := os.MkdirAll(old, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(old, "go.mod"), []byte("module example.org/old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]string{"": newest, "1.32": old, "1.36": newest} {
		if got, err := moduleDir(cfg.Repo, version); err != nil || got != want {
			t.Errorf("%q: %s, %v, want %s", version, got, err, want)
		}
	}
	for _, version := range []string{"1.31", "v1.32", "1.32.13", "../..", "."} {
		got, err := moduleDir(cfg.Repo, version)
		if err == nil || !strings.Contains(err.Error(), "use 1.32, or leave it out for 1.36") {
			t.Errorf("%q: %s, %v", version, got, err)
		}
	}
}

// What is supported in words can be built.
func TestOldestIsThere(t *testing.T) {
	mod, err := readModule(filepath.Join("..", "controlplane", "1.32"))
	if err != nil {
		t.Fatal(err)
	}
	if v := mod.version("k8s.io/kubernetes"); minor(v) != "1.32" {
		t.Errorf("the module of 1.32 requires %s", v)
	}
}
