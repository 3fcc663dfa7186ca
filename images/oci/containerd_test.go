package oci

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// containerd starts one of this test's own, with nothing but its images, and returns
// its client.
func containerd(t *testing.T) func(stdin []byte, args ...string) string {
	t.Helper()
	missing := ""
	for _, program := range []string{"containerd", "ctr"} {
		if _, err := exec.LookPath(program); err != nil {
			missing = "no " + program + " here (Debian: apt-get install containerd)"
		}
	}
	if os.Geteuid() != 0 {
		missing = "only root can run containerd"
	}
	switch {
	case missing != "" && os.Getenv("HARDGATE_ORACLES") == "required":
		t.Fatal(missing)
	case missing != "":
		t.Skip(missing + "; HARDGATE_ORACLES=required makes this an error")
	}
	dir := t.TempDir()
	config, socket := filepath.Join(dir, "config.toml"), filepath.Join(dir, "sock")
	if err := os.WriteFile(config, []byte("version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command("containerd", "--config", config, "--root", filepath.Join(dir, "root"), "--state", filepath.Join(dir, "state"), "--address", socket)
	var log bytes.Buffer
	daemon.Stderr = &log
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = daemon.Process.Kill(), daemon.Wait() })
	ctr := func(ctx context.Context, stdin []byte, args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "ctr", append([]string{"--address", socket, "--namespace", "test"}, args...)...)
		cmd.Stdin = bytes.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if _, err := ctr(t.Context(), nil, "version"); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("containerd does not answer: %s", log.String())
		}
	}
	return func(stdin []byte, args ...string) string {
		t.Helper()
		out, err := ctr(t.Context(), stdin, args...)
		if err != nil {
			t.Fatalf("ctr %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return out
	}
}

// A real containerd takes the archive, and unpacks the image: as a lab does it, and as
// kind does it, which asks for all platforms and names what has no name.
func TestImport(t *testing.T) {
	const name = "registry.example/team/a:1"
	archive := pack(t, name)
	for label, flags := range map[string][]string{
		"one platform": {},
		"as kind":      {"--all-platforms", "--digests"},
	} {
		t.Run(label, func(t *testing.T) {
			ctr := containerd(t)
			ctr(archive, append(append([]string{"images", "import", "--snapshotter", "native"}, flags...), "-")...)
			if got := ctr(nil, "images", "ls", "name=="+name); !strings.Contains(got, name) || !strings.Contains(got, "linux/amd64,linux/arm64") && label == "as kind" {
				t.Errorf("containerd has %s", got)
			}
			dir := t.TempDir()
			ctr(nil, "images", "mount", "--snapshotter", "native", name, dir)
			defer ctr(nil, "images", "unmount", "--snapshotter", "native", dir)
			if got, err := os.ReadFile(filepath.Join(dir, "a")); err != nil || !strings.HasPrefix(string(got), "program for linux/") {
				t.Errorf("the image has %q: %v", got, err)
			}
		})
	}
}
