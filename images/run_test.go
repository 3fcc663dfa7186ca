package images

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// emulators run programs of other machines (Debian: qemu-user-static).
var emulators = map[string]string{"amd64": "qemu-x86_64-static", "arm64": "qemu-aarch64-static"}

// runner says how a program for a platform is run here.
func runner(t *testing.T, architecture string) (prefix []string, here bool) {
	t.Helper()
	if architecture == runtime.GOARCH {
		return nil, true
	}
	emulator, err := exec.LookPath(emulators[architecture])
	switch {
	case err == nil:
		return []string{emulator}, true
	case os.Getenv("HARDGATE_ORACLES") == "required":
		t.Fatal(err)
	}
	t.Logf("the program for %s is not run: %v (Debian: apt-get install qemu-user-static)", architecture, err)
	return nil, false
}

// runs says what a program of an image answers: each its version, and the command line
// what it thinks of a manifest, which needs most of what is ours. It returns what must be
// the same for all platforms.
func runs(t *testing.T, architecture, name string, program []byte) (answer string) {
	t.Helper()
	prefix, here := runner(t, architecture)
	if !here {
		return ""
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, program, 0o700); err != nil {
		t.Fatal(err)
	}
	call := func(args ...string) (string, int) {
		line := append(append(prefix, path), args...)
		out, err := exec.CommandContext(t.Context(), line[0], line[1:]...).CombinedOutput()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return string(out), exit.ExitCode()
		}
		if err != nil {
			t.Errorf("%s: %v", strings.Join(line, " "), err)
		}
		return string(out), 0
	}
	version, code := call("--version")
	if code != 0 || !strings.HasPrefix(version, name+" version ") || !strings.Contains(version, " commit ") {
		t.Errorf("for %s, --version says, with %d: %s", architecture, code, version)
	}
	if name != "hardgate" {
		return version
	}
	verdict, code := call("check", "-f", filepath.Join(repo, "e2e", "demo", "denied.yaml"))
	if code != 1 || !strings.Contains(verdict, "privileged") {
		t.Errorf("for %s, check says, with %d: %s", architecture, code, verdict)
	}
	return version + verdict
}
