package assets

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// program writes a script of a name into a directory.
func program(t *testing.T, dir string, name Binary, script string) string {
	t.Helper()
	path := filepath.Join(dir, string(name))
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// client is a kubectl that answers nothing but the question for its version.
func client(major, minor, version string) string {
	return fmt.Sprintf(`[ "$*" = "version --client -o json" ] || exit 1
echo '{"clientVersion": {"major": %q, "minor": %q, "gitVersion": %q}, "kustomizeVersion": "v5.5.0"}'
`, major, minor, version)
}

func TestKubectlOfThePath(t *testing.T) {
	for name, c := range map[string]struct {
		server, script, refused string
	}{
		"the same":                     {"v1.36.3", client("1", "36", "v1.36.0"), ""},
		"one older":                    {"v1.36.3", client("1", "35", "v1.35.9"), ""},
		"one newer":                    {"v1.36.3", client("1", "37", "v1.37.0-beta.0"), ""},
		"a build of a vendor's":        {"v1.32.13", client("1", "32+", "v1.32.4-dispatcher"), ""},
		"two older":                    {"v1.36.3", client("1", "34", "v1.34.1"), "is v1.34.1, and the API server is v1.36.3: they may differ by 1 minor version"},
		"two newer":                    {"v1.32.13", client("1", "34", "v1.34.1"), "is v1.34.1, and the API server is v1.32.13"},
		"not by the order of letters":  {"v1.10.0", client("1", "9", "v1.9.0"), ""},
		"another major version":        {"v1.36.3", client("2", "36", "v2.36.0"), "is v2.36.0"},
		"an older form of the answer":  {"v1.36.3", "echo 'Client Version: v1.36.3'\n", "invalid character"},
		"no version":                   {"v1.36.3", "echo '{}'\n", "invalid syntax"},
		"it fails":                     {"v1.36.3", "echo '{\"clientVersion\": {\"major\": \"1\", \"minor\": \"36\"}}'\nexit 1\n", "exit status 1"},
		"of another machine":           {"v1.36.3", "\x7fELF", "exit status"},
		"the server's cannot be told":  {"", client("1", "36", "v1.36.0"), "the API server's version"},
		"the server's is no version":   {"devel", client("1", "36", "v1.36.0"), "the API server's version"},
		"none, but a file of the name": {"v1.36.3", "-", "executable file not found"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			want := program(t, dir, Kubectl, c.script)
			if c.script == "-" {
				if err := os.Chmod(want, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PATH", dir)
			got, version, err := kubectl(t.Context(), c.server)
			switch {
			case c.refused == "" && (err != nil || got != want || version == ""):
				t.Errorf("%q %q, %v, want %s", got, version, err, want)
			case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused) || got != ""):
				t.Errorf("%q, %v, want none: %s", got, err, c.refused)
			}
		})
	}
}

// Which one is taken is said in one line, and why.
func TestWhichKubectl(t *testing.T) {
	fit, old := client("1", "36", "v1.36.0"), client("1", "34", "v1.34.1")
	for name, c := range map[string]struct {
		onPath, server string // the server is one that was given
		taken, says    string
	}{
		"for the server that is built":      {fit, "", "path", "using kubectl v1.36.0, which is on the PATH: "},
		"too old for it":                    {old, "", "built", "using our own kubectl v1.36.3: "},
		"for one that was given":            {old, "echo Kubernetes v1.33.2", "path", "using kubectl v1.34.1, which is on the PATH: "},
		"none on the PATH":                  {"", "", "built", "using our own kubectl v1.36.3: "},
		"a given one that says no version":  {fit, "echo hello", "built", "using our own kubectl v1.36.3: "},
		"a given one that cannot be asked":  {fit, "exit 1", "built", "using our own kubectl v1.36.3: "},
		"a given one's own comes before it": {fit, "given", "given", ""},
	} {
		t.Run(name, func(t *testing.T) {
			path, given := t.TempDir(), t.TempDir()
			if c.onPath != "" {
				program(t, path, Kubectl, c.onPath)
			}
			t.Setenv("PATH", path)
			t.Setenv("HARDGATE_CACHE", t.TempDir())
			t.Setenv("KUBEBUILDER_ASSETS", "")
			if c.server != "" {
				t.Setenv("KUBEBUILDER_ASSETS", given)
				fill(t, given, 0o700, Etcd)
				program(t, given, APIServer, c.server)
				if c.server == "given" {
					fill(t, given, 0o700, Kubectl)
				}
			}
			cfg := repo(t, goMod)
			var said []string
			cfg.Log = func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
			got, err := Get(t.Context(), cfg, []Binary{Kubectl})
			switch c.taken {
			case "built":
				// Without success: the PATH has no go command.
				if err == nil || !strings.Contains(err.Error(), "building kubectl") {
					t.Errorf("%v, %v, want an attempt to build", got, err)
				}
			case "path":
				if want := filepath.Join(path, "kubectl"); err != nil || got[Kubectl] != want {
					t.Errorf("%v, %v, want %s", got, err, want)
				}
			case "given":
				if want := filepath.Join(given, "kubectl"); err != nil || got[Kubectl] != want {
					t.Errorf("%v, %v, want %s", got, err, want)
				}
			}
			if c.says == "" {
				if len(said) != 0 {
					t.Errorf("said %q", said)
				}
			} else if len(said) == 0 || !strings.HasPrefix(said[0], c.says) || strings.Contains(said[0], "\n") {
				t.Errorf("said %q, want %s first", said, c.says)
			}
		})
	}
}

// Tests that need an API server only start no program of the user's.
func TestKubectlThatIsNotAskedFor(t *testing.T) {
	path := t.TempDir()
	program(t, path, Kubectl, "touch "+filepath.Join(path, "asked")+"\n")
	t.Setenv("PATH", path+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("HARDGATE_CACHE", t.TempDir())
	t.Setenv("KUBEBUILDER_ASSETS", "")
	if _, err := Get(t.Context(), repo(t, goMod), Minimal()); err == nil {
		t.Error("a build without go.sum succeeded")
	}
	if _, err := os.Stat(filepath.Join(path, "asked")); err == nil {
		t.Error("a kubectl that nobody wants was started")
	}
}
