//go:build linux

package confine_test

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/hardgate-dev/hardgate/nodecheck/confine"
)

// directory is set for the process that is confined: it never gets its rights back.
const directory = "HARDGATE_CONFINE_TEST"

func TestMain(m *testing.M) {
	if dir := os.Getenv(directory); dir != "" {
		if err := confined(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestProcess: a process of root, to which a directory is writable, can read it and do
// nothing else there, on whatever thread.
func TestProcess(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "file"), []byte("text"), 0o600), os.Mkdir(filepath.Join(dir, "empty"), 0o700)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), directory+"="+dir)
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), unsupported) {
		t.Skipf("%s", out)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

const unsupported = "no Landlock here"

func confined(dir string) error {
	open, err := os.OpenFile(filepath.Join(dir, "open"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	before := make(chan func() error)
	did := make(chan error)
	go func() { // a thread that is there already
		runtime.LockOSThread()
		did <- (<-before)()
	}()
	version, err := confine.Process()
	if errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EOPNOTSUPP) {
		return errors.Join(errors.New(unsupported), err)
	}
	if err != nil {
		return err
	}
	before <- func() error { return attempts(dir, version) }
	errs := []error{<-did}
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			runtime.LockOSThread()
			err := attempts(dir, version)
			mu.Lock()
			errs = append(errs, err)
			mu.Unlock()
		})
	}
	all.Wait()
	_, err = open.WriteString("what is open stays open")
	return errors.Join(append(errs, err, open.Close())...)
}

var errDone = errors.New("it is done")

// attempts is an error for everything that succeeds, and if reading does not.
func attempts(dir string, version int) error {
	file := filepath.Join(dir, "file")
	var errs []error
	for what, try := range map[string]func() error{
		"write":     func() error { return os.WriteFile(file, []byte("other"), 0o600) },
		"truncate":  func() error { return os.Truncate(file, 1) },
		"make":      func() error { return os.WriteFile(filepath.Join(dir, "new"), nil, 0o600) },
		"directory": func() error { return os.Mkdir(filepath.Join(dir, "new"), 0o700) },
		"link":      func() error { return os.Symlink(file, filepath.Join(dir, "new")) },
		"rename":    func() error { return os.Rename(file, filepath.Join(dir, "new")) },
		"remove":    func() error { return os.Remove(file) },
		"rmdir":     func() error { return syscall.Rmdir(filepath.Join(dir, "empty")) },
		"device":    func() error { return syscall.Mknod(filepath.Join(dir, "new"), syscall.S_IFIFO|0o600, 0) },
		"execute":   func() error { return exec.Command("/proc/self/exe").Run() },
	} {
		if what == "truncate" && version < 3 {
			continue // that came later
		}
		if err := try(); !errors.Is(err, fs.ErrPermission) {
			errs = append(errs, fmt.Errorf("%s is not refused: %w", what, cmp.Or(err, errDone)))
		}
	}
	text, err := os.ReadFile(file)
	if err == nil && string(text) != "text" {
		err = fmt.Errorf("the file has %q", text)
	}
	_, listing := os.ReadDir(dir)
	return errors.Join(append(errs, err, listing)...)
}
