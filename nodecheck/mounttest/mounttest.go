//go:build linux

// Package mounttest mounts directories for tests, as a container's runtime does.
package mounttest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

const mountsVariable = "HARDGATE_TEST_MOUNTS"

// Allowed runs the calling test again where it may mount: in a mount namespace of its
// own, as root. It returns whether this is that run; who is not root skips it.
func Allowed(t *testing.T) bool {
	t.Helper()
	if os.Getenv(mountsVariable) != "" {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Fatal(err)
		}
		return true
	}
	if os.Getuid() != 0 {
		t.Skip("not root: nothing can be mounted")
	}
	out, err := again(t)
	if err != nil || !strings.Contains(out, "--- PASS: "+t.Name()) {
		t.Errorf("in a mount namespace: %v\n%s", err, out)
	}
	return false
}

func again(t *testing.T) (string, error) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		return "", err
	}
	defer func() { _ = out.Close() }()
	args := []string{os.Args[0], "-test.run=^" + t.Name() + "$", "-test.v"}
	p, err := os.StartProcess("/proc/self/exe", args, &os.ProcAttr{ //nolint:gosec // the test itself
		Env: append(os.Environ(), mountsVariable+"=1"), Files: []*os.File{nil, out, out},
		Sys: &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS},
	})
	if err != nil {
		return "", err
	}
	state, err := p.Wait()
	if err == nil && !state.Success() {
		err = errors.New(state.String())
	}
	text, readErr := io.ReadAll(io.NewSectionReader(out, 0, 1<<30))
	return string(text), errors.Join(err, readErr)
}

// Container makes a directory below which directories of a node are mounted as a runtime
// does it: links are followed, what is mounted below comes along and follows the node, and
// the container's own root is read-only and another file system.
func Container(t *testing.T, node string, dirs ...string) string {
	t.Helper()
	at := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(unix.Mount("none", at, "tmpfs", 0, ""))
	t.Cleanup(func() { _ = unix.Unmount(at, unix.MNT_DETACH) })
	for _, dir := range dirs {
		from, err := filepath.EvalSymlinks(filepath.Join(node, dir))
		must(err)
		to := filepath.Join(at, dir)
		must(os.MkdirAll(to, 0o755)) //nolint:gosec // as a runtime makes it
		must(unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""))
		must(unix.Mount("", to, "", unix.MS_REC|unix.MS_SLAVE, ""))
		must(unix.Mount("", to, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""))
	}
	must(unix.Mount("", at, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""))
	return at
}

// Write puts the files of a node on the disk, with their modes and owners.
func Write(t *testing.T, files host.FS, dir string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var write func(string)
	write = func(at string) {
		entries, err := files.ReadDir(at)
		must(err)
		for _, e := range entries {
			name := path.Join(at, e.Name)
			info, err := files.Lstat(name)
			must(err)
			to := filepath.Join(dir, name)
			switch info.Type {
			case fs.ModeSymlink:
				must(os.Symlink(info.Link, to))
				continue
			case fs.ModeDir:
				must(os.MkdirAll(to, 0o755)) //nolint:gosec // its mode follows
				write(name)
			case 0:
				data, _, err := files.ReadFile(name, host.MaxFile)
				must(err)
				must(os.WriteFile(to, data, 0o600))
			default:
				t.Fatalf("%s is neither file, directory nor link", name)
			}
			must(os.Lchown(to, int(info.UID), int(info.GID)))
			must(unix.Chmod(to, info.Mode))
		}
	}
	must(os.MkdirAll(dir, 0o755)) //nolint:gosec // as the root of a node
	write("/")
}
