//go:build linux

package host

import (
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// openProc opens the root's /proc if it is one that the kernel mounted there, and not
// a directory of that name in a copied tree.
func (r *Root) openProc() int {
	fd, err := r.resolve("/proc", unix.O_DIRECTORY)
	if err != nil {
		return -1
	}
	var st unix.Statfs_t
	if unix.Fstatfs(fd, &st) != nil || st.Type != unix.PROC_SUPER_MAGIC {
		closeFD(fd)
		return -1
	}
	return fd
}

// readProc reads a file of the root's own /proc. Half of what a scan reads is there,
// and there is nothing but files, directories and links, so that a path can be opened
// at once, without a look at what it is. It is not done where the path leads to
// anything else, or does not exist: then ReadFile says why.
func (r *Root) readProc(name string, limit int64) (data []byte, info Info, done bool, err error) {
	rest, ok := strings.CutPrefix(name, "/proc/")
	if !ok || r.proc < 0 || !r.open2.Load() || strings.Contains(rest, "..") {
		return nil, Info{}, false, nil
	}
	fd, err := unix.Openat2(r.proc, rest, &unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil, Info{}, false, nil
	}
	defer closeFD(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || typeOf(st.Mode) != 0 {
		return nil, Info{}, false, nil
	}
	info = Info{Path: name, Mode: st.Mode & 0o7777, UID: st.Uid, GID: st.Gid, ModTime: time.Unix(st.Mtim.Unix())}
	first, _, _ := strings.Cut(rest, "/")
	if slices.Contains(procLinks, first) {
		info.Path = r.pathInside(fd, name)
	}
	data, err = readFrom(fd, 0, limit)
	if err != nil {
		return nil, info, true, problem(name, err)
	}
	return data, info, true, nil
}

// procLinks are the links in /proc itself.
var procLinks = []string{"self", "thread-self", "net", "mounts"}
