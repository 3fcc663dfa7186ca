package compile

import (
	"bytes"
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// checkout is a repository with one commit, which is the same wherever it is made.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":           "module example.org/a\n\ngo 1.26.0\n",
		"cmd/a/main.go":    "package main\n\nfunc main() { println(tag) }\n",
		"cmd/a/tagged.go":  "//go:build hostile\n\npackage main\n\nconst tag = \"tagged\"\n",
		"cmd/a/default.go": "//go:build !hostile\n\npackage main\n\nconst tag = \"plain\"\n",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "a"}} {
		cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return dir
}

// Two checkouts of a commit, two caches, two users with other settings: the same bytes.
func TestReproducible(t *testing.T) {
	arm64 := v1.Platform{OS: "linux", Architecture: "arm64"}
	var first []byte
	for _, settings := range []map[string]string{
		{"GOFLAGS": "-buildvcs=false"},
		{"GOFLAGS": "-tags=hostile", "GOARM64": "v9.0", "CGO_ENABLED": "1", "GOFIPS140": "latest", "TZ": "Asia/Seoul"},
	} {
		t.Setenv("GOCACHE", t.TempDir())
		for name, value := range settings {
			t.Setenv(name, value)
		}
		out := t.TempDir()
		if err := Build(t.Context(), checkout(t), out, arm64, Toolchain, true, "./cmd/a"); err != nil {
			t.Fatal(err)
		}
		program, err := os.ReadFile(filepath.Join(out, "a"))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = program
		} else if !bytes.Equal(first, program) {
			t.Errorf("with %v the binary differs", settings)
		}
	}
	info, err := buildinfo.Read(bytes.NewReader(first))
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	for key, want := range map[string]string{
		"CGO_ENABLED": "0", "GOARCH": "arm64", "GOARM64": "v8.0", "-trimpath": "true", "vcs.modified": "false", "vcs.time": "2026-01-02T03:04:05Z", "-tags": "",
	} {
		if settings[key] != want {
			t.Errorf("%s is %q, want %q", key, settings[key], want)
		}
	}
	if info.GoVersion != Toolchain {
		t.Errorf("built by %s, want %s", info.GoVersion, Toolchain)
	}
}

func TestBuildSaysWhy(t *testing.T) {
	err := Build(t.Context(), t.TempDir(), t.TempDir(), v1.Platform{OS: "linux", Architecture: "amd64"}, "local", false, "./cmd/a")
	if err == nil || !strings.Contains(err.Error(), "building for linux/amd64") || !strings.Contains(err.Error(), "go.mod") {
		t.Errorf("got %v, want what go says", err)
	}
}
