//go:build linux

package watch

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// poller reads again what no one reports. The files of /proc and /sys that a scan
// read are held open, so that asking for a value is one call of the kernel.
type poller struct {
	root  *host.Root
	held  map[string]*value
	state map[string]*value // of what is not read but looked at, and of all where inotify is not to be had
	extra map[string]*value
	buf   []byte
	// fired are the values whose change the last poll reported.
	fired []*value
}

// value is one thing that is polled.
type value struct {
	path  string
	file  *host.Held    // nil: ask is asked
	ask   func() uint64 // a number that changes when what it stands for does
	last  uint64
	every int // it is left alone for so many polls after a change
	wait  int
	calm  int // looks in a row that found no change
}

const (
	// maxHeld bounds the files that are kept open.
	maxHeld = 2048
	// maxValue is how much of a file is compared.
	maxValue = 64 << 10
	// maxEvery is how rarely a value is looked at that changes all the time and no
	// verdict with it, and after how many looks without a change that is forgotten.
	maxEvery = 32
)

var seed = maphash.MakeSeed()

// follow takes the values of a scan as those to compare with.
func (p *poller) follow(looked Looked) {
	files := make(map[string]*host.File)
	processes := set(looked.Processes)
	for _, f := range looked.Files {
		if polled(f.Path, processes) {
			files[f.Path] = f
		}
	}
	for path, v := range p.held {
		if files[path] == nil {
			_ = v.file.Close() // only read from
			delete(p.held, path)
		}
	}
	if p.held == nil {
		p.held = map[string]*value{}
	}
	for path, f := range files {
		v := p.held[path]
		if v == nil {
			if len(p.held) >= maxHeld {
				continue
			}
			held, err := p.root.Hold(path)
			if err != nil {
				continue // gone, or no file of the kernel's: the full pass sees to it
			}
			v = &value{path: path, file: held, every: 1}
			p.held[path] = v
		}
		v.last = sum(path, f.Data)
	}
	p.followState(looked, files)
}

// followState follows the names below /proc and /sys that were looked at otherwise:
// directories that were listed, and what was there or not.
func (p *poller) followState(looked Looked, files map[string]*host.File) {
	listed := set(looked.Listed)
	next := map[string]*value{}
	for _, path := range looked.Touched {
		if !ofValues(path) || files[path] != nil || process(path) || path == "/proc" {
			continue
		}
		v := p.state[path]
		if v == nil {
			v = &value{path: path, every: 1, ask: func() uint64 { return p.stat(path) }}
			if listed[path] {
				v.ask = func() uint64 { return p.list(path) }
			}
			v.last = v.ask()
		}
		next[path] = v
	}
	p.state = next
}

// followAll polls paths that could not be watched.
func (p *poller) followAll(paths []string) {
	next := map[string]*value{}
	for _, path := range paths {
		if ofKernel(path) {
			continue
		}
		v := p.extra[path]
		if v == nil {
			v = &value{path: path, every: 1, ask: func() uint64 { return p.stat(path) }}
			v.last = v.ask()
		}
		next[path] = v
	}
	p.extra = next
}

// Poll looks at what reports nothing, and returns the paths that have changed since
// the last scan or poll, and the CPU time that it took.
func (w *Watcher) Poll() (changed []string, cost time.Duration) {
	runtime.LockOSThread() // whose time is taken
	defer runtime.UnlockOSThread()
	begin := threadTime()
	changed = w.poll.poll()
	return changed, threadTime() - begin
}

func threadTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// Mattered says whether a verdict changed by what the last poll reported. What
// changes all the time without that is looked at less and less often.
func (w *Watcher) Mattered(yes bool) {
	for _, v := range w.poll.fired {
		if yes {
			v.every = 1
		} else {
			v.every = min(2*v.every, maxEvery)
		}
		v.wait = v.every
	}
	w.poll.fired = nil
}

func (p *poller) poll() (changed []string) {
	if p.buf == nil {
		p.buf = make([]byte, maxValue)
	}
	for _, values := range []map[string]*value{p.held, p.state, p.extra} {
		for _, v := range values {
			if v.wait > 1 {
				v.wait--
				continue
			}
			now := p.now(v)
			if now == v.last {
				if v.calm++; v.calm >= maxEvery {
					v.every = 1
				}
				continue
			}
			v.last, v.calm = now, 0
			changed = append(changed, v.path)
			p.fired = append(p.fired, v)
		}
	}
	slices.Sort(changed)
	return changed
}

func (p *poller) now(v *value) uint64 {
	if v.file == nil {
		return v.ask()
	}
	n, err := v.file.Read(p.buf)
	if err != nil {
		return 0 // gone: an interface, a module, a process
	}
	return sum(v.path, p.buf[:n])
}

// stat stands for what a path leads to, from as much as is known without opening it.
func (p *poller) stat(path string) uint64 {
	info, err := p.root.Stat(path)
	if err != nil {
		return maphash.String(seed, err.Error())
	}
	var h maphash.Hash
	h.SetSeed(seed)
	size := info.Size
	if ofValues(info.Path) {
		// The times of the kernel's files are those of their inodes in memory.
		_, _ = fmt.Fprint(&h, info.Path, info.Type, info.Mode, info.UID, info.GID)
	} else {
		_, _ = fmt.Fprint(&h, info.Path, info.Type, info.Mode, info.UID, info.GID, size, info.ModTime.UnixNano())
	}
	return h.Sum64()
}

func (p *poller) list(path string) uint64 {
	entries, err := p.root.ReadDir(path)
	if err != nil {
		return maphash.String(seed, err.Error())
	}
	var h maphash.Hash
	h.SetSeed(seed)
	for _, e := range entries {
		_, _ = h.WriteString(e.Name)
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

func (p *poller) close() error {
	var errs []error
	for _, v := range p.held {
		errs = append(errs, v.file.Close())
	}
	p.held = nil
	return errors.Join(errs...)
}

// sum stands for the content of a file.
func sum(path string, data []byte) uint64 {
	data = data[:min(len(data), maxValue)]
	if path == "/proc/modules" {
		data = modules(data)
	}
	return maphash.Bytes(seed, data)
}

// modules leaves of /proc/modules the names and the states: how many use a module
// changes all day long.
func modules(data []byte) []byte {
	var out []byte
	for line := range bytes.Lines(data) {
		if f := bytes.Fields(line); len(f) >= 5 {
			out = append(append(append(out, f[0]...), f[4]...), '\n')
		}
	}
	return out
}

// polled is whether a file that was read is one of the kernel's values. Of processes,
// only those are followed that the scan names: the rest comes and goes.
func polled(path string, processes map[string]bool) bool {
	return ofValues(path) && (!process(path) || processes[path])
}

// process is whether a path is below /proc/<pid>.
func process(path string) bool {
	rest, ok := strings.CutPrefix(path, "/proc/")
	return ok && rest != "" && (rest[0] >= '0' && rest[0] <= '9')
}

// ofValues is whether a path is on one of the two file systems of values.
func ofValues(path string) bool { return ofKernel(path) && !strings.HasPrefix(path, "/dev") }
