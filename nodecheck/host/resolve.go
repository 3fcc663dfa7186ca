//go:build linux

package host

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// resolve returns an O_PATH descriptor of what a path leads to inside the root,
// or of the last link itself with O_NOFOLLOW.
func (r *Root) resolve(name string, flags int) (int, error) {
	flags |= unix.O_PATH | unix.O_CLOEXEC
	if !r.open2 {
		return r.walk(name, flags)
	}
	how := unix.OpenHow{Flags: uint64(flags), Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	for range races {
		fd, err := unix.Openat2(r.fd, name, &how)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			// Something was renamed or mounted meanwhile; the kernel refuses to guess.
			continue
		case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM):
			// A kernel before 5.6, or a seccomp profile from before it.
			r.open2 = false
			return r.walk(name, flags)
		}
		return fd, err
	}
	return -1, unix.EAGAIN
}

const (
	races    = 64
	maxLinks = 40 // as in the kernel
)

// walk resolves a path element by element where the kernel cannot do it in one
// call. Each element is opened from the directory before it without following
// links, and ".." goes back along the way that was walked, so that there is no
// moment at which a changed link leads out.
func (r *Root) walk(name string, flags int) (int, error) {
	w := walker{root: r.fd}
	defer w.close()
	rest := elements(name)
	for links := 0; len(rest) > 0; {
		element := rest[0]
		rest = rest[1:]
		if element == ".." {
			w.up()
			continue
		}
		fd, err := unix.Openat(w.dir(), element, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return -1, err
		}
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			return -1, errors.Join(err, unix.Close(fd))
		}
		if st.Mode&unix.S_IFMT != unix.S_IFLNK || (len(rest) == 0 && flags&unix.O_NOFOLLOW != 0) {
			w.down(fd)
			continue
		}
		target, err := follow(fd)
		if err != nil {
			return -1, err
		}
		if links++; links > maxLinks {
			return -1, unix.ELOOP
		}
		if path.IsAbs(target) {
			w.close()
		}
		rest = append(elements(target), rest...)
	}
	return unix.FcntlInt(uintptr(w.dir()), unix.F_DUPFD_CLOEXEC, 0)
}

// follow reads a link and closes its descriptor. The links of /proc/<pid> lead
// elsewhere than they say, and are refused as openat2 refuses them.
func follow(fd int) (string, error) {
	defer closeFD(fd)
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil {
		return "", err
	}
	target, err := readlinkat(fd, "")
	if err != nil {
		return "", err
	}
	if st.Type == unix.PROC_SUPER_MAGIC && path.IsAbs(target) {
		return "", unix.ELOOP
	}
	return target, nil
}

// elements are the names of a path, without those that lead nowhere.
func elements(name string) (list []string) {
	for e := range strings.SplitSeq(name, "/") {
		if e != "" && e != "." {
			list = append(list, e)
		}
	}
	return list
}

// walker is the directories between the root and where a walk has come to.
type walker struct {
	root int
	way  []int
}

func (w *walker) dir() int {
	if len(w.way) == 0 {
		return w.root
	}
	return w.way[len(w.way)-1]
}

func (w *walker) down(fd int) { w.way = append(w.way, fd) }

func (w *walker) up() {
	if n := len(w.way); n > 0 {
		closeFD(w.way[n-1])
		w.way = w.way[:n-1]
	}
}

func (w *walker) close() {
	for len(w.way) > 0 {
		w.up()
	}
}

// closeFD closes a descriptor that nothing was written to: no error can lose anything.
func closeFD(fd int) { _ = unix.Close(fd) }

func selfFD(fd int) string { return fmt.Sprintf("/proc/self/fd/%d", fd) }

// pathOf asks the kernel where a descriptor is.
func pathOf(fd int) (string, error) { return readlinkat(unix.AT_FDCWD, selfFD(fd)) }

func readlinkat(dir int, name string) (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(dir, name, buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}
