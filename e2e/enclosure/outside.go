package enclosure

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/hardgate-dev/hardgate/e2e/process"
)

// Enclosure is one that runs, as it is seen from outside.
type Enclosure struct {
	dir   string
	first process.Identity
}

// firstFile in an enclosure's directory says which process is its first.
const firstFile = "first.json"

func record(dir string, pid int) (*Enclosure, error) {
	first, err := process.Identify(pid)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(first)
	if err != nil {
		return nil, err
	}
	return &Enclosure{dir: dir, first: first}, os.WriteFile(filepath.Join(dir, firstFile), text, 0o600)
}

// Open finds the enclosure whose directory is dir.
func Open(dir string) (*Enclosure, error) {
	text, err := os.ReadFile(filepath.Join(dir, firstFile))
	if err != nil {
		return nil, fmt.Errorf("looking for an enclosure: %w", err)
	}
	e := &Enclosure{dir: dir}
	if err := json.Unmarshal(text, &e.first); err != nil {
		return nil, fmt.Errorf("looking for an enclosure: %w", err)
	}
	running, err := e.first.Running()
	if err != nil {
		return nil, fmt.Errorf("looking for an enclosure: %w", err)
	}
	if !running {
		return nil, fmt.Errorf("looking for an enclosure: that of %s has ended", dir)
	}
	return e, nil
}

// Remove takes away what an enclosure has left whose Run was killed. Where nothing is
// left, that is fine; one that runs is an error.
func Remove(dir string) error {
	if !strings.HasPrefix(filepath.Base(dir), prefix) {
		return fmt.Errorf("removing the enclosure of %s: there is none of this name", dir)
	}
	if _, err := Open(dir); err == nil {
		return fmt.Errorf("removing the enclosure of %s: it is running", dir)
	}
	return remove(dir)
}

// Dir is the enclosure's directory, the same inside.
func (e *Enclosure) Dir() string { return e.dir }

// PID is the enclosure's first process.
func (e *Enclosure) PID() int { return e.first.PID }

// Root is a path out here to the root directory inside. What is below /proc/sys/net
// there is this machine's own all the same: for that, see InNetwork.
func (e *Enclosure) Root() string { return "/proc/" + strconv.Itoa(e.first.PID) + "/root" }

// Exec is a command that runs inside, as nsenter does it: root's shell without args.
func (e *Enclosure) Exec(args ...string) []string {
	command := []string{"nsenter", "--target", strconv.Itoa(e.first.PID), "--mount", "--uts", "--ipc", "--net", "--pid", "--"}
	if len(args) == 0 {
		args = []string{"/bin/sh"}
	}
	return append(command, args...)
}

// InNetwork runs do on a thread that is in the enclosure's network: it listens and
// dials there, and finds its settings in /proc/sys/net. What do hands to other
// goroutines is not done there.
func (e *Enclosure) InNetwork(do func() error) error {
	network, err := os.Open("/proc/" + strconv.Itoa(e.first.PID) + "/ns/net")
	if err != nil {
		return fmt.Errorf("entering the enclosure's network: %w", err)
	}
	defer func() { _ = network.Close() }() // it is only read
	return onItsThread(func() error {
		if err := unix.Setns(int(network.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("entering the enclosure's network: %w", err)
		}
		return do()
	})
}

// Possible is why this user cannot make an enclosure on this machine, as far as it
// can be told without making one; nil if nothing speaks against it.
func Possible() error {
	if os.Geteuid() != 0 {
		return errors.New("only root can make namespaces")
	}
	name := "hardgate-trial-" + strconv.Itoa(os.Getpid())
	if err := errors.Join(makeCgroups(name), removeCgroups(name)); err != nil {
		return fmt.Errorf("trying to make a control group: %w", err)
	}
	err := onItsThread(func() error { return unix.Unshare(namespaces) })
	if err != nil {
		return fmt.Errorf("trying to make namespaces: %w", err)
	}
	return nil
}

// onItsThread runs do on a thread that ends with it: whatever namespaces it has
// entered, nothing else runs there.
func onItsThread(do func() error) error {
	did := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		did <- do()
	}()
	return <-did
}
