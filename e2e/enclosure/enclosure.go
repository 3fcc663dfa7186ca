package enclosure

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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
