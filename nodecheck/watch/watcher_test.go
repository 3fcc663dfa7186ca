//go:build linux

package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// node is a directory that plays the root of a node, and a watcher on it.
type node struct {
	t       *testing.T
	dir     string
	root    *host.Root
	watcher *Watcher
}

func newNode(t *testing.T, files ...string) *node {
	t.Helper()
	n := &node{t: t, dir: t.TempDir()}
	for _, name := range files {
		n.write(name, "x")
	}
	root, err := host.Open(n.dir)
	if err != nil {
		t.Fatal(err)
	}
	n.root = root
	n.watcher = New(t.Context(), root)
	t.Cleanup(func() {
		if err := n.watcher.Close(); err != nil {
			t.Error(err)
		}
		if err := root.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func (n *node) path(name string) string { return filepath.Join(n.dir, name) }

func (n *node) must(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) write(name, content string) {
	n.t.Helper()
	n.must(os.MkdirAll(filepath.Dir(n.path(name)), 0o755))
	n.must(os.WriteFile(n.path(name), []byte(content), 0o600))
}

func (n *node) remove(name string) { n.t.Helper(); n.must(os.RemoveAll(n.path(name))) }
func (n *node) rename(from, to string) {
	n.t.Helper()
	n.must(os.Rename(n.path(from), n.path(to)))
}

func (n *node) link(target, name string) {
	n.t.Helper()
	n.must(os.MkdirAll(filepath.Dir(n.path(name)), 0o755))
	n.must(os.Symlink(target, n.path(name)))
}

// scan looks at the node as checks would and follows that until nothing is new.
func (n *node) scan(look func(*host.Host)) {
	n.t.Helper()
	for range 10 {
		h := host.New(n.root)
		look(h)
		if !n.watcher.Follow(n.t.Context(), Of(h)) {
			n.watcher.Take()
			return
		}
	}
	n.t.Fatal("there is no end of new directories")
}

// changed waits for a report.
func (n *node) changed() []string {
	n.t.Helper()
	deadline := time.After(5 * time.Second)
	for {
		select {
		case <-n.watcher.Changed():
			if list := n.watcher.Take(); len(list) > 0 {
				return list
			}
		case <-deadline:
			return nil
		}
	}
}

func (n *node) quiet(what string) {
	n.t.Helper()
	time.Sleep(100 * time.Millisecond)
	if list := n.watcher.Take(); len(list) > 0 {
		n.t.Errorf("%s is reported as %q", what, list)
	}
	select {
	case <-n.watcher.Changed():
	default:
	}
}

// sshd looks at what the checks of sshd do.
func sshd(h *host.Host) {
	_, _ = h.File("/etc/ssh/sshd_config")
	if paths, err := h.Glob("/etc/ssh/sshd_config.d/*.conf"); err == nil {
		for _, p := range paths {
			_, _ = h.File(p)
		}
	}
	_, _ = h.Stat("/etc/crontab")
}

func TestChangesAreReported(t *testing.T) {
	const config = "/etc/ssh/sshd_config"
	for name, c := range map[string]struct {
		files  []string
		before func(*node)
		change func(*node)
		want   string
	}{
		"written":             {change: func(n *node) { n.write(config, "y") }, want: config},
		"replaced by another": {change: func(n *node) { n.write("/etc/ssh/.new", "y"); n.rename("/etc/ssh/.new", config) }, want: config},
		"removed":             {change: func(n *node) { n.remove(config) }, want: config},
		"mode":                {change: func(n *node) { n.must(os.Chmod(n.path(config), 0o644)) }, want: config},
		"mode of a file that is not read": {
			files: []string{"/etc/crontab"}, change: func(n *node) { n.must(os.Chmod(n.path("/etc/crontab"), 0o644)) }, want: "/etc/crontab",
		},
		"made anew": {before: func(n *node) { n.remove(config) }, change: func(n *node) { n.write(config, "y") }, want: config},
		"written and not closed": {change: func(n *node) {
			f, err := os.OpenFile(n.path(config), os.O_APPEND|os.O_WRONLY, 0)
			n.must(err)
			n.t.Cleanup(func() { _ = f.Close() })
			_, err = f.WriteString("y")
			n.must(err)
		}, want: config},
		"a directory that appears": {
			change: func(n *node) { n.write("/etc/ssh/sshd_config.d/10.conf", "y") }, want: "/etc/ssh/sshd_config.d",
		},
		"a file in a listed directory": {
			files:  []string{"/etc/ssh/sshd_config.d/10.conf"},
			change: func(n *node) { n.write("/etc/ssh/sshd_config.d/20.conf", "y") }, want: "/etc/ssh/sshd_config.d/20.conf",
		},
		"a directory that is replaced": {
			change: func(n *node) {
				n.write("/etc/ssh.new/sshd_config", "y")
				n.rename("/etc/ssh", "/etc/ssh.old")
				n.rename("/etc/ssh.new", "/etc/ssh")
			}, want: "/etc/ssh",
		},
		"the parent of everything": {
			change: func(n *node) { n.rename("/etc", "/etc.old") }, want: "/etc",
		},
		"behind a link": {
			before: func(n *node) { n.write("/srv/sshd", "x"); n.remove(config); n.link("/srv/sshd", config) },
			change: func(n *node) { n.write("/srv/sshd", "y") }, want: "/srv/sshd",
		},
		"the link itself": {
			before: func(n *node) { n.write("/srv/sshd", "x"); n.remove(config); n.link("/srv/sshd", config) },
			change: func(n *node) { n.remove(config); n.write(config, "y") }, want: config,
		},
		"a link in the middle": {
			before: func(n *node) {
				n.write("/srv/a", "x")
				n.write("/srv/b", "x")
				n.link("a", "/srv/current")
				n.remove(config)
				n.link("../../srv/current", config)
			},
			change: func(n *node) { n.link("b", "/srv/next"); n.rename("/srv/next", "/srv/current") }, want: "/srv/current",
		},
		"a directory behind a link": {
			before: func(n *node) { n.rename("/etc/ssh", "/srv"); n.link("/srv", "/etc/ssh") },
			change: func(n *node) { n.write("/srv/sshd_config", "y") }, want: "/srv/sshd_config",
		},
		"the target of a link that leads nowhere": {
			before: func(n *node) { n.remove(config); n.link("/srv/deep/sshd", config) },
			change: func(n *node) { n.write("/srv/deep/sshd", "y") }, want: "/srv",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, append(c.files, config)...)
			if c.before != nil {
				c.before(n)
			}
			n.scan(sshd)
			n.quiet("nothing")
			c.change(n)
			if got := n.changed(); !slices.Contains(got, c.want) {
				t.Errorf("reported are %q, want %q", got, c.want)
			}
		})
	}
}

// After a change of directories the new ones are followed.
func TestFollowsOn(t *testing.T) {
	n := newNode(t, "/etc/ssh/sshd_config")
	n.scan(sshd)
	n.write("/etc/ssh.new/sshd_config", "y")
	n.rename("/etc/ssh", "/etc/ssh.old")
	n.rename("/etc/ssh.new", "/etc/ssh")
	n.changed()
	n.scan(sshd)
	n.quiet("nothing")
	n.write("/etc/ssh.old/sshd_config", "z")
	n.quiet("what was moved away")
	n.write("/etc/ssh/sshd_config", "z")
	if got := n.changed(); !slices.Contains(got, "/etc/ssh/sshd_config") {
		t.Errorf("reported are %q", got)
	}
	n.write("/etc/ssh/sshd_config.d/10.conf", "y")
	n.changed()
	n.scan(sshd)
	n.write("/etc/ssh/sshd_config.d/10.conf", "z")
	if got := n.changed(); !slices.Contains(got, "/etc/ssh/sshd_config.d/10.conf") {
		t.Errorf("reported are %q", got)
	}
}

// A file of which only the mode mattered, and whose content does now: the paths are
// the same as before.
func TestFollowsWhatIsReadNow(t *testing.T) {
	n := newNode(t, "/etc/ssh/sshd_config", "/etc/other")
	for name, look := range map[string]func(*host.Host){
		"/etc/other": func(h *host.Host) { _, _ = h.File("/etc/other") },
		"/etc/new":   func(h *host.Host) { _, _ = h.Stat("/etc/other"); _, _ = h.Dir("/etc") },
	} {
		n.scan(func(h *host.Host) { _, _ = h.Stat("/etc/other"); _, _ = h.Stat("/etc") })
		n.scan(func(h *host.Host) { _, _ = h.Stat("/etc"); look(h) })
		n.write(name, "y")
		if got := n.changed(); !slices.Contains(got, name) {
			t.Errorf("reported are %q, want %q", got, name)
		}
	}
}

// A directory that another was mounted over reports nothing of it. A full pass finds
// what is there, and from then on it is followed.
func TestFollowsMounts(t *testing.T) {
	runtime.LockOSThread() // and never unlocked: the thread ends with its mounts
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
		t.Skipf("mounting: %v", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Skipf("mounting: %v", err)
	}
	n := newNode(t, "/etc/ssh/sshd_config", "/srv/sshd_config")
	n.scan(sshd)
	n.must(unix.Mount(n.path("/srv"), n.path("/etc/ssh"), "", unix.MS_BIND, ""))
	t.Cleanup(func() { _ = unix.Unmount(n.path("/etc/ssh"), unix.MNT_DETACH) })
	n.scan(sshd)
	n.watcher.Renew()
	n.scan(sshd)
	n.write("/etc/ssh/sshd_config", "y")
	if got := n.changed(); !slices.Contains(got, "/etc/ssh/sshd_config") {
		t.Errorf("reported are %q", got)
	}
}

// Once there are watches to be had again, nothing is polled.
func TestLimitsAreForgotten(t *testing.T) {
	n := newNode(t, "/etc/ssh/sshd_config")
	n.scan(sshd)
	n.watcher.limited = true
	n.watcher.Renew()
	n.scan(sshd)
	if _, limited := n.watcher.Watched(); limited || len(n.watcher.poll.extra) > 0 {
		t.Errorf("limited %t, polled are %d", limited, len(n.watcher.poll.extra))
	}
}

func TestOthersAreNotReported(t *testing.T) {
	n := newNode(t, "/etc/ssh/sshd_config", "/etc/crontab", "/etc/ssh/sshd_config.d/10.conf")
	n.scan(sshd)
	for range 100 {
		n.write("/etc/other", "y")
		n.write("/etc/ssh/ssh_config", "y")
	}
	n.write("/etc/crontab", "y") // of which only the mode is looked at
	n.write("/var/lib/kubelet/pods/1", "y")
	n.must(os.Mkdir(n.path("/etc/dir"), 0o700))
	_, err := os.ReadFile(n.path("/etc/ssh/sshd_config"))
	n.must(err)
	n.quiet("what nobody looked at")
}

// More happened than the queue of the kernel holds: what is lost must not be missed.
func TestOverflow(t *testing.T) {
	n := newNode(t, "/etc/ssh/sshd_config")
	n.scan(sshd)
	n.watcher.mu.Lock()
	matters := n.watcher.note(event{wd: -1, mask: unix.IN_Q_OVERFLOW})
	stale := n.watcher.stale
	n.watcher.mu.Unlock()
	if got := n.watcher.Take(); !matters || !stale || !slices.Equal(got, []string{"/"}) {
		t.Errorf("matters %t, stale %t, reported are %q", matters, stale, got)
	}
}

// What does not fit must not look as if nothing else had changed.
func TestManyPathsAreCutShort(t *testing.T) {
	n := newNode(t)
	for i := range 2 * maxPaths {
		n.watcher.keep(fmt.Sprint("/etc/", i))
	}
	if got := n.watcher.Take(); len(got) != maxPaths+1 || got[0] != "/" {
		t.Errorf("%d paths, the first is %q", len(got), got[0])
	}
}

// Without inotify, the same changes are found by looking.
func TestPollsWhatCannotBeWatched(t *testing.T) {
	n := newNode(t, "/etc/ssh/sshd_config")
	n.must(n.watcher.Close())
	n.watcher = &Watcher{root: n.root, changed: make(chan struct{}, 1), poll: poller{root: n.root}, stale: true, limited: true, inotify: -1}
	n.scan(sshd)
	if got, _ := n.watcher.Poll(); len(got) > 0 {
		t.Errorf("reported are %q before a change", got)
	}
	n.write("/etc/ssh/sshd_config", "longer")
	if got, _ := n.watcher.Poll(); !slices.Equal(got, []string{"/etc/ssh/sshd_config"}) {
		t.Errorf("reported are %q", got)
	}
	n.write("/etc/ssh/sshd_config.d/10.conf", "y")
	if got, _ := n.watcher.Poll(); !slices.Equal(got, []string{"/etc/ssh/sshd_config.d"}) {
		t.Errorf("reported are %q", got)
	}
}

func TestParse(t *testing.T) {
	for name, buf := range map[string]string{
		"empty": "", "short": strings.Repeat("x", 15), "a length beyond the end": strings.Repeat("\xff", 16), "no name": strings.Repeat("\x00", 16),
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			parse([]byte(buf), func(event) { n++ })
			if want := map[bool]int{true: 1}[name == "no name"]; n != want {
				t.Errorf("%d events, want %d", n, want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(strings.Repeat("\x00", 32)))
	f.Add([]byte("\x01\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00\x00sshd_config\x00\x00\x00\x00\x00"))
	f.Fuzz(func(_ *testing.T, buf []byte) { parse(buf, func(event) {}) })
}
