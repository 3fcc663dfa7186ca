package process

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Program is a command of the lab and where it leaves its traces.
type Program struct {
	Name string // names the pid file and the log, such as "kube-apiserver"
	Path string
	Args []string
	Env  []string // added to the environment of this process
	Dir  string   // the state directory
	// Reads lists the files that the program reads once, when it starts.
	Reads []string
	// Detached lets the program outlive this process. Otherwise the kernel kills
	// it when this process ends, however that happens.
	Detached bool
}

// Running is a program that was started here or found by its pid file.
type Running struct {
	Identity
	Name string
	// Began is when this process started it; zero for a program that was found.
	Began  time.Time
	dir    string
	digest string
	// ended is closed when a child of this process has ended; nil for a program
	// that was found.
	ended <-chan struct{}
}

// Start runs the program with its output in the log, which it begins anew. The
// context only bounds the start: to end the program, Stop it.
func (p Program) Start(ctx context.Context) (*Running, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.Name, err)
	}
	digest, err := p.digest()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.Name, err)
	}
	logPath := LogFile(p.Dir, p.Name)
	if err := os.MkdirAll(filepath.Dir(logPath), 0o700); err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.Name, err)
	}
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.Name, err)
	}
	defer func() { _ = log.Close() }() // the child has a handle of its own

	cmd := exec.CommandContext(context.WithoutCancel(ctx), p.Path, p.Args...)
	cmd.Env = append(os.Environ(), p.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	// Setpgid keeps a terminal's Ctrl-C from reaching the children before this
	// process has decided in which order they end.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if p.Detached {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	}
	ended := make(chan struct{})
	started := make(chan error, 1)
	var id Identity
	at := time.Now()
	go func() {
		defer close(ended)
		// The parent-death signal is bound to the thread that started the child, not
		// to the process (prctl(2), PR_SET_PDEATHSIG). This one stays until the child ends.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err != nil {
			started <- err
			return
		}
		// A child that ends at once keeps its entry in /proc until it is waited for.
		id, err = Identify(cmd.Process.Pid)
		if err != nil {
			err = errors.Join(err, signal(cmd.Process, syscall.SIGKILL))
		}
		started <- err
		// How it ended is in its log, and Await reports that it did.
		_ = cmd.Wait()
	}()
	err = <-started
	if err == nil {
		if err = (pidFile{id, digest}).save(pidPath(p.Dir, p.Name)); err != nil {
			err = errors.Join(err, id.Stop(ctx, 0))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.Name, err)
	}
	return &Running{Identity: id, Name: p.Name, Began: at, dir: p.Dir, digest: digest, ended: ended}, nil
}

// Find looks a program up by its pid file. found is false when there is none or
// when the process that it names has ended.
func Find(dir, name string) (r *Running, found bool, err error) {
	f, found, err := load(pidPath(dir, name))
	if err != nil || !found {
		return nil, false, err
	}
	if running, err := f.Running(); err != nil || !running {
		return nil, false, err
	}
	return &Running{Identity: f.Identity, Name: name, dir: dir, digest: f.digest}, true, nil
}

// Is says whether the program runs as p would if it were started now: the same
// binary, arguments, environment and files. One that is merely alive may hold
// an old binary or the address of a server that has moved.
func (r *Running) Is(p Program) (bool, error) {
	digest, err := p.digest()
	return err == nil && digest == r.digest, err
}

// digest condenses the definition of the program. A binary counts by its size
// and time, other files by their content.
func (p Program) digest() (string, error) {
	info, err := os.Stat(p.Path)
	if err != nil {
		return "", fmt.Errorf("reading the definition of %s: %w", p.Name, err)
	}
	definition := fmt.Appendf(nil, "%q %d %d %q %q", p.Path, info.Size(), info.ModTime().UnixNano(), p.Args, p.Env)
	for _, path := range p.Reads {
		content, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("reading the definition of %s: %w", p.Name, err)
		}
		definition = fmt.Appendf(definition, " %q", content)
	}
	sum := sha256.Sum256(definition)
	return hex.EncodeToString(sum[:]), nil
}

// Stop ends the program as Identity.Stop does and removes its pid file.
func (r *Running) Stop(ctx context.Context, grace time.Duration) error {
	if err := r.Identity.Stop(ctx, grace); err != nil {
		return fmt.Errorf("stopping %s: %w", r.Name, err)
	}
	if r.ended != nil {
		<-r.ended
	}
	if err := os.Remove(pidPath(r.dir, r.Name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("stopping %s: %w", r.Name, err)
	}
	return nil
}

// Await asks check again and again until it returns nil. When the program ends
// first, or after the limit, the error carries the end of the program's log.
func (r *Running) Await(ctx context.Context, limit time.Duration, check func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := check(limited)
		if err == nil {
			return nil
		}
		running, statErr := r.Running()
		switch {
		case statErr != nil:
			return statErr
		case !running:
			return fmt.Errorf("%s ended while starting; the end of its log:\n%s", r.Name, r.LogTail())
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-limited.Done():
			if ctx.Err() != nil {
				return fmt.Errorf("waiting for %s: %w", r.Name, context.Cause(ctx))
			}
			return fmt.Errorf("%s is not ready after %s: %w; the end of its log:\n%s", r.Name, limit, err, r.LogTail())
		}
	}
}

// LogTail returns the last lines of the program's log, indented, or why there
// are none: it is for messages.
func (r *Running) LogTail() string {
	const tail = 4 << 10
	f, err := os.Open(LogFile(r.dir, r.Name))
	if err != nil {
		return "  (" + err.Error() + ")"
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Size() > tail {
		if _, err := f.Seek(-tail, io.SeekEnd); err != nil {
			return "  (" + err.Error() + ")"
		}
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return "  (" + err.Error() + ")"
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	const most = 12
	return "  " + strings.Join(lines[max(0, len(lines)-most):], "\n  ")
}

// LogFile is where a program of that name logs.
func LogFile(dir, name string) string { return filepath.Join(dir, "logs", name+".log") }
