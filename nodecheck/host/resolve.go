//go:build linux

package host

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// resolve returns an O_PATH descriptor of what a path leads to inside the root,
// or of the last link itself with O_NOFOLLOW.
func (r *Root) resolve(name string, flags int) (int, error) {
	fd, _, err := r.locate(name, flags|unix.O_PATH)
	return fd, err
}

// locate is resolve for any flags, and tells where the file is, if that is known. It is
// where no link is in the path: most have none, and asking the kernel for the path of a
// descriptor costs as much as opening it.
func (r *Root) locate(name string, flags int) (fd int, at string, err error) {
	flags |= unix.O_CLOEXEC
	if r.parts != nil {
		return r.locateInParts(name, flags)
	}
	if r.open2.Load() && !strings.Contains(name, "..") {
		fd, err = r.openat2(name, flags, unix.RESOLVE_IN_ROOT|unix.RESOLVE_NO_SYMLINKS)
		if !errors.Is(err, unix.ELOOP) && r.open2.Load() {
			return fd, clean(name), err
		}
	}
	if r.open2.Load() {
		fd, err = r.openat2(name, flags, unix.RESOLVE_IN_ROOT|unix.RESOLVE_NO_MAGICLINKS)
		if r.open2.Load() {
			return fd, "", err
		}
	}
	return r.walked(name, flags)
}

// walked is locate without the kernel's help.
func (r *Root) walked(name string, flags int) (fd int, at string, err error) {
	if flags&unix.O_PATH != 0 {
		return r.walk(name, flags)
	}
	found, at, err := r.walk(name, 0)
	if err != nil {
		return -1, "", err
	}
	defer closeFD(found)
	fd, err = unix.Open(selfFD(found), flags, 0)
	return fd, at, err
}

// openat2 clears open2 where the kernel has no such call.
func (r *Root) openat2(name string, flags int, resolve uint64) (int, error) {
	how := unix.OpenHow{Flags: uint64(flags), Resolve: resolve}
	for range races {
		fd, err := unix.Openat2(r.fd, name, &how)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			// Something was renamed or mounted meanwhile; the kernel refuses to guess.
			continue
		case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM):
			// A kernel before 5.6, or a seccomp profile from before it.
			r.open2.Store(false)
		}
		return fd, err
	}
	return -1, unix.EAGAIN
}

const (
	races    = 64
	maxLinks = 40 // as in the kernel
	maxDepth = 256
)

// walk resolves a path element by element where the kernel cannot do it in one
// call. Each element is opened from the directory before it without following
// links, and ".." goes back along the way that was walked, so that there is no
// moment at which a changed link leads out.
func (r *Root) walk(name string, flags int) (fd int, at string, err error) {
	switch {
	case len(name) >= unix.PathMax:
		return -1, "", unix.ENAMETOOLONG
	case strings.IndexByte(name, 0) >= 0:
		return -1, "", unix.EINVAL
	}
	w := walker{root: r.fd, parts: r.parts}
	defer w.close()
	rest := elements(name)
	if flags&unix.O_DIRECTORY != 0 {
		rest = append(rest, ".")
	}
	for links := 0; len(rest) > 0; {
		element := rest[0]
		rest = rest[1:]
		if element == "." || element == ".." {
			// The kernel too takes these of directories only that may be searched.
			var st unix.Stat_t
			if err := unix.Fstatat(w.dir(), ".", &st, 0); err != nil {
				return -1, "", err
			}
			if element == ".." {
				if err := w.leave(); err != nil {
					return -1, "", err
				}
				w.up()
			}
			continue
		}
		target, err := w.enter(element, len(rest) == 0 && flags&unix.O_NOFOLLOW != 0)
		if errors.Is(err, ErrNotMounted) {
			return -1, "", notMounted(name, w.place(element))
		}
		if err != nil {
			return -1, "", err
		}
		if target == "" {
			continue
		}
		if links++; links > maxLinks {
			return -1, "", unix.ELOOP
		}
		if path.IsAbs(target) {
			w.close()
		}
		rest = append(elements(target), rest...)
	}
	if w.parts != nil {
		if at = w.place(""); !w.parts.inside(at) {
			return -1, "", notMounted(name, at)
		}
	}
	fd, err = unix.FcntlInt(uintptr(w.dir()), unix.F_DUPFD_CLOEXEC, 0)
	return fd, at, err
}

// elements are the names of a path. A slash at the end stands for a ".": what is
// before it must be a directory.
func elements(name string) (list []string) {
	for e := range strings.SplitSeq(name, "/") {
		if e != "" {
			list = append(list, e)
		}
	}
	if strings.HasSuffix(name, "/") {
		list = append(list, ".")
	}
	return list
}

// walker is the directories between the root and where a walk has come to.
type walker struct {
	root  int
	way   []int
	names []string // of the way
	parts *parts   // nil where all below the root is the node's
}

// place is the path of a name in the directory, or of the directory itself.
func (w *walker) place(name string) string {
	return path.Join("/", strings.Join(w.names, "/"), name)
}

func (w *walker) dir() int {
	if len(w.way) == 0 {
		return w.root
	}
	return w.way[len(w.way)-1]
}

// enter goes to a name in the directory, or returns what it says if it is a link
// that is to be followed.
func (w *walker) enter(name string, nofollow bool) (target string, err error) {
	if w.parts != nil {
		place := w.place(name)
		switch to, link := w.parts.link(place); {
		case link && nofollow:
			return "", unix.ELOOP // Lstat knows it
		case link:
			return to, nil
		case !w.parts.reaches(place):
			return "", ErrNotMounted
		}
	}
	fd, err := unix.Openat(w.dir(), name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		closeFD(fd)
		return "", err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFLNK || nofollow {
		if len(w.way) >= maxDepth {
			closeFD(fd)
			return "", unix.ENAMETOOLONG
		}
		w.way, w.names = append(w.way, fd), append(w.names, name)
		return "", nil
	}
	defer closeFD(fd)
	magic, err := w.magic(fd)
	switch {
	case err != nil:
		return "", err
	case magic:
		return "", unix.ELOOP
	}
	return readlinkat(fd, "")
}

// magic is whether a link in the directory is one of /proc/<pid>, which leads
// elsewhere than it says; openat2 refuses them too. Those of /proc itself are plain.
func (w *walker) magic(link int) (bool, error) {
	var fs unix.Statfs_t
	if err := unix.Fstatfs(link, &fs); err != nil || fs.Type != unix.PROC_SUPER_MAGIC {
		return false, err
	}
	const procRoot = 1 // the inode, see PROC_ROOT_INO
	var dir unix.Stat_t
	err := unix.Fstat(w.dir(), &dir)
	return dir.Ino != procRoot, err
}

// leave is an error where the directory above is not known.
func (w *walker) leave() error {
	if w.parts == nil || len(w.parts.loose) == 0 {
		return nil
	}
	if place := w.place(""); slices.Contains(w.parts.loose, place) {
		return fmt.Errorf("%s is a link on the node, and what is beside the directory that it leads to is %w", place, ErrNotMounted)
	}
	return nil
}

func (w *walker) up() {
	if n := len(w.way); n > 0 {
		closeFD(w.way[n-1])
		w.way, w.names = w.way[:n-1], w.names[:n-1]
	}
}

func (w *walker) close() {
	for len(w.way) > 0 {
		w.up()
	}
}

// closeFD closes a descriptor that nothing was written to: no error can lose anything.
func closeFD(fd int) { _ = unix.Close(fd) }

func selfFD(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// pathOf asks the kernel where a descriptor is.
func pathOf(fd int) (string, error) { return readlinkat(unix.AT_FDCWD, selfFD(fd)) }

func readlinkat(dir int, name string) (string, error) {
	const usual = 256 // nearly every link is shorter
	for size := usual; ; size *= 4 {
		buf := make([]byte, size)
		n, err := unix.Readlinkat(dir, name, buf)
		if err != nil {
			return "", err
		}
		if n < size || size >= unix.PathMax {
			return string(buf[:n]), nil
		}
	}
}
