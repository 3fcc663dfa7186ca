package enclosure

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

const (
	// Host is the host name inside, and so the name of a node that runs there.
	Host = "lab-node"
	// Address is on the loopback interface inside, but is no loopback address: a
	// node may not have one of those. It is of a block for documentation.
	Address = "192.0.2.1"
)

// variable carries the directory of the enclosure to what runs inside.
const variable = "HARDGATE_ENCLOSURE"

// Dir is a directory on disk for what runs inside, which Run removes. It is empty
// outside.
func Dir() string { return os.Getenv(variable) }

// CgroupRoot is the control group for what runs inside. It exists in every
// hierarchy.
func CgroupRoot() string { return "/" + filepath.Base(Dir()) }

// Refused is whether an error of Run is that this machine does not let this user
// make an enclosure, as in most containers.
func Refused(err error) bool {
	return errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EROFS)
}

// Run runs this program with its arguments in a new enclosure, waits for it and
// returns its exit code. When ctx ends, so does all that runs inside.
func Run(ctx context.Context) (code int, err error) {
	dir, err := os.MkdirTemp("", "hardgate-node-")
	if err != nil {
		return 0, fmt.Errorf("making an enclosure: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	removeCgroups, err := makeCgroups(filepath.Base(dir))
	defer func() { err = errors.Join(err, removeCgroups()) }()
	if err != nil {
		return 0, fmt.Errorf("making an enclosure: %w", err)
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", os.Args[1:]...) //nolint:gosec // this program, as it was called
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), variable+"="+dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
	}
	// The parent-death signal is bound to the thread that started the child (prctl(2),
	// PR_SET_PDEATHSIG).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// The child is the first process of its pid namespace: the kernel ends all others
	// there with it.
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 0, fmt.Errorf("running in an enclosure: %w", err)
	}
	return 0, nil
}

// makeCgroups makes a control group of one name in every hierarchy, version 1 or 2.
// remove takes it away with what was made below it.
func makeCgroups(name string) (remove func() error, err error) {
	var made []string
	remove = func() error {
		var errs []error
		for _, dir := range made {
			errs = append(errs, removeCgroup(dir))
		}
		return errors.Join(errs...)
	}
	mounts, err := cgroupMounts()
	if err != nil {
		return remove, err
	}
	for _, mount := range mounts {
		dir := filepath.Join(mount, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return remove, err
		}
		made = append(made, dir)
	}
	return remove, nil
}

// cgroupMounts are where the hierarchies are: each of version 1 has a mount of its
// own.
func cgroupMounts() (dirs []string, err error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[2] != "cgroup" && fields[2] != "cgroup2" || !strings.HasPrefix(fields[1], "/sys/fs/cgroup") {
			continue
		}
		dirs = append(dirs, fields[1])
	}
	return dirs, nil
}

// removeCgroup removes a control group and those below it: their files go with
// them and cannot be removed one by one.
func removeCgroup(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if e.IsDir() {
			errs = append(errs, removeCgroup(filepath.Join(dir, e.Name())))
		}
	}
	return errors.Join(append(errs, syscall.Rmdir(dir))...)
}
