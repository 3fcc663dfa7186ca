package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Identity names one process for good.
type Identity struct {
	PID     int
	Started uint64 // clock ticks since boot: field 22 of /proc/PID/stat
}

// Self is the identity of this process.
func Self() (Identity, error) { return Identify(os.Getpid()) }

// Identify reads the identity of a process that is known to exist, such as a
// child that has not been waited for.
func Identify(pid int) (Identity, error) {
	s, found, err := readStat(pid)
	if err != nil {
		return Identity{}, err
	}
	if !found {
		return Identity{}, fmt.Errorf("identifying process %d: it has ended", pid)
	}
	return Identity{PID: pid, Started: s.started}, nil
}

// is says whether s is the state of this process, still running. A zombie has
// ended: it only waits for its parent.
func (id Identity) is(s stat) bool {
	return s.started == id.Started && s.state != 'Z' && s.state != 'X'
}

// Running says whether the process is still there.
func (id Identity) Running() (bool, error) {
	s, found, err := readStat(id.PID)
	return found && id.is(s), err
}

// Stop asks the process to end, waits up to grace, then kills it, and returns
// when it is gone. A process that has already ended is fine; one that only has
// the same pid is left alone. When ctx ends first, the process may still run.
func (id Identity) Stop(ctx context.Context, grace time.Duration) error {
	// On Linux the handle is a pidfd: the signals below reach the process that is
	// checked here even if its pid is reused in between.
	handle, err := os.FindProcess(id.PID)
	if err != nil {
		return fmt.Errorf("stopping process %d: %w", id.PID, err)
	}
	// Releasing a handle of a process that is not a child cannot fail in a way
	// that matters.
	defer func() { _ = handle.Release() }()
	if running, err := id.Running(); err != nil || !running {
		return err
	}
	if err := signal(handle, syscall.SIGTERM); err != nil {
		return fmt.Errorf("stopping process %d: %w", id.PID, err)
	}
	if err := id.wait(ctx, grace); !errors.Is(err, errStillRunning) {
		return err
	}
	if err := signal(handle, syscall.SIGKILL); err != nil {
		return fmt.Errorf("killing process %d: %w", id.PID, err)
	}
	// A killed process can only be held up by the kernel.
	return id.wait(ctx, 10*time.Second)
}

var errStillRunning = errors.New("it is still running")

// wait returns nil when the process is gone, errStillRunning after the limit.
func (id Identity) wait(ctx context.Context, limit time.Duration) error {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if running, err := id.Running(); err != nil || !running {
			return err
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return fmt.Errorf("waiting for the end of process %d: %w", id.PID, errStillRunning)
		case <-ctx.Done():
			return fmt.Errorf("waiting for the end of process %d: %w", id.PID, ctx.Err())
		}
	}
}

func signal(handle *os.Process, s os.Signal) error {
	if err := handle.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}
