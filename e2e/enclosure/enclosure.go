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

// prefix begins the names of enclosures' directories.
const prefix = "hardgate-node-"

// Dir is a directory on disk for what runs inside, which Run removes. It is empty
// outside.
func Dir() string { return os.Getenv(variable) }

// CgroupRoot is the control group for what runs inside. It exists in every
// hierarchy.
func CgroupRoot() string { return "/" + filepath.Base(Dir()) }

// Refused is whether an error of Run or Possible is that this machine does not let this user
// make an enclosure, as in most containers.
func Refused(err error) bool {
	return errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EROFS)
}

// Run runs this program with its arguments in a new enclosure, waits for it and
// returns its exit code. When ctx ends, so does all that runs inside, and the code is
// -1. beside, unless it is nil, is done out here meanwhile: its context ends with the
// enclosure, and an error of it ends the enclosure.
func Run(ctx context.Context, beside func(context.Context, *Enclosure) error) (code int, err error) {
	dir, err := os.MkdirTemp("", prefix)
	if err != nil {
		return 0, fmt.Errorf("making an enclosure: %w", err)
	}
	defer func() { err = errors.Join(err, remove(dir)) }()
	if err := makeCgroups(filepath.Base(dir)); err != nil {
		return 0, fmt.Errorf("making an enclosure: %w", err)
	}
	within, end := context.WithCancelCause(ctx)
	defer end(nil)
	cmd := exec.CommandContext(within, "/proc/self/exe", os.Args[1:]...) //nolint:gosec // this program, as it was called
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), variable+"="+dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces | syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
	// The parent-death signal is bound to the thread that started the child (prctl(2),
	// PR_SET_PDEATHSIG).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("running in an enclosure: %w", err)
	}
	// Before it is waited for: until then, its pid is its own.
	e, err := record(dir, cmd.Process.Pid)
	did := make(chan error, 1)
	go func() {
		if err == nil && beside != nil {
			err = beside(within, e)
		}
		if err != nil {
			end(err)
		}
		did <- err
	}()
	// The child is the first process of its pid namespace: the kernel ends all others
	// there with it.
	ended := cmd.Wait()
	end(nil)
	if err := <-did; err != nil && !errors.Is(err, context.Canceled) {
		return 0, fmt.Errorf("running in an enclosure: %w", err)
	}
	exit := (*exec.ExitError)(nil)
	switch {
	case ctx.Err() != nil:
		return -1, nil
	case errors.As(ended, &exit) && exit.Exited():
		return exit.ExitCode(), nil
	case ended != nil:
		return 0, fmt.Errorf("running in an enclosure: %w", ended)
	}
	return 0, nil
}

// namespaces are those of an enclosure that a thread can enter; that of processes is
// for children only.
const namespaces = syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC

// remove takes away what is left of an enclosure when it has ended.
func remove(dir string) error {
	return errors.Join(removeCgroups(filepath.Base(dir)), os.RemoveAll(dir))
}
