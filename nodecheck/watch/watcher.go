//go:build linux

package watch

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Watcher watches what the last scan looked at. Follow and Poll are for one
// goroutine.
type Watcher struct {
	root *host.Root
	poll poller

	file    *os.File // nil where inotify is not to be had
	inotify int
	changed chan struct{}
	readers sync.WaitGroup

	// planned is what the plan was made of.
	planned Looked

	mu sync.Mutex
	// watches are the directories behind a watch descriptor: more than one where a
	// directory is reached by two paths.
	watches map[int]map[string]*directory
	// paths are those that changed since they were taken.
	paths map[string]struct{}
	// stale is whether the plan must be made anew: directories or links have changed.
	stale bool
	// renew is whether the plan must be carried out anew, as it is.
	renew bool
	// limited is whether some directories could not be watched.
	limited bool
	// plan is what is watched; for Follow alone.
	plan plan
}

// maxPaths bounds the paths that are remembered between two scans; they are for
// messages, and one is enough for a scan.
const maxPaths = 64

// New makes a watcher. Where inotify is not to be had, everything is polled.
func New(ctx context.Context, root *host.Root) *Watcher {
	w := &Watcher{
		root: root, inotify: -1, changed: make(chan struct{}, 1), poll: poller{root: root},
		watches: map[int]map[string]*directory{}, paths: map[string]struct{}{}, stale: true,
	}
	file, fd, err := openInotify()
	if err != nil {
		logf.FromContext(ctx).WithName("watch").Error(err, "changes are found by polling")
		w.limited = true
		return w
	}
	w.file, w.inotify = file, fd
	w.readers.Go(w.read)
	return w
}

// Close ends the watching.
func (w *Watcher) Close() error {
	var err error
	if w.file != nil {
		err = w.file.Close()
	}
	w.readers.Wait()
	return errors.Join(err, w.poll.close())
}

// Changed receives when something was reported that Take returns.
func (w *Watcher) Changed() <-chan struct{} { return w.changed }

// Take returns the paths that were reported since the last call. Where there are many,
// or some were lost, it is a few of them and "/".
func (w *Watcher) Take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := slices.Sorted(maps.Keys(w.paths))
	clear(w.paths)
	return list
}

// Watched returns how many directories are watched, and whether some could not be.
func (w *Watcher) Watched() (directories int, limited bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.watches), w.limited
}

// Renew has the next Follow put the watches on their directories anew. One that
// another was mounted over reports nothing any more, and does not report that either;
// and where there were too many watches, there may be room now.
func (w *Watcher) Renew() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.renew = true
}

// Follow watches what a scan looked at, and nothing else any more. It returns
// whether there is a directory among it that was not watched before: what happened
// there since the scan was not seen, and there should be another.
func (w *Watcher) Follow(ctx context.Context, looked Looked) bool {
	w.poll.follow(looked)
	// The names of processes are others each time, and nothing of theirs is watched.
	looked = looked.ofFiles()
	w.mu.Lock()
	same, renew := !w.stale && w.planned.equal(looked), w.renew
	w.stale, w.renew = false, false
	w.mu.Unlock()
	if same && !renew {
		return false
	}
	if w.planned = looked; !same {
		w.plan = newPlan(looked, w.root.Lstat)
	}
	added := false
	if w.file != nil {
		added = w.set(ctx, w.plan)
	}
	if same && added { // another directory is in the place of one: so may be what is below it
		w.mu.Lock()
		w.stale = true
		w.mu.Unlock()
	}
	if w.limited {
		w.poll.followAll(looked.Touched)
	} else {
		w.poll.followAll(nil)
	}
	return added
}

// set brings the watches to a plan.
func (w *Watcher) set(ctx context.Context, p plan) (added bool) {
	next := make(map[int]map[string]*directory, len(p))
	w.mu.Lock()
	defer w.mu.Unlock()
	limited, parts := false, w.root.Parts()
	for dir, d := range p {
		d.part = slices.Contains(parts, dir)
		mask := uint32(always)
		if d.written {
			mask |= written
		}
		wd, err := w.root.AddWatch(w.inotify, dir, mask)
		switch {
		case errors.Is(err, host.ErrNotMounted):
			continue // nothing of the node's
		case missing(err):
			w.stale = true // it went meanwhile
			added = true
			continue
		case err != nil:
			if !w.limited && !limited {
				logf.FromContext(ctx).WithName("watch").Error(err, "some directories are polled instead of watched")
			}
			limited = true
			continue
		}
		if w.watches[wd] == nil {
			added = true
		}
		if next[wd] == nil {
			next[wd] = map[string]*directory{}
		}
		next[wd][dir] = d
	}
	for wd := range w.watches {
		if next[wd] == nil {
			_, _ = unix.InotifyRmWatch(w.inotify, uint32(wd)) // gone already where its directory is
		}
	}
	w.watches, w.limited = next, limited
	return added
}

// read receives events until the instance is closed.
func (w *Watcher) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := w.file.Read(buf)
		if err != nil {
			return
		}
		w.mu.Lock()
		matters := false
		parse(buf[:n], func(e event) { matters = w.note(e) || matters })
		w.mu.Unlock()
		if matters {
			select {
			case w.changed <- struct{}{}:
			default: // it will be seen with the change before
			}
		}
		time.Sleep(batch)
	}
}

// note keeps an event if it matters.
func (w *Watcher) note(e event) (matters bool) {
	if e.mask&unix.IN_Q_OVERFLOW != 0 {
		w.stale = true
		w.keep("/")
		return true
	}
	for dir, d := range w.watches[e.wd] {
		name, ok := d.concerns(dir, e)
		if !ok {
			continue
		}
		if e.mask&(structural|itself) != 0 {
			w.stale = true
		}
		w.keep(name)
		matters = true
	}
	if e.mask&unix.IN_IGNORED != 0 {
		delete(w.watches, e.wd)
	}
	return matters
}

func (w *Watcher) keep(name string) {
	if len(w.paths) >= maxPaths {
		name = "/" // whatever it is, it is below
	}
	w.paths[name] = struct{}{}
}
