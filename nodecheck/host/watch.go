//go:build linux

package host

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// AddWatch adds a directory of the node to an inotify instance and returns the
// watch descriptor. The directory is resolved inside the root like all that is
// read. What is watched is the directory itself and not its path: one that takes
// its place is another.
func (r *Root) AddWatch(inotify int, dir string, mask uint32) (int, error) {
	fd, err := r.resolve(dir, unix.O_DIRECTORY)
	if err != nil {
		return 0, problem(dir, err)
	}
	defer closeFD(fd)
	wd, err := unix.InotifyAddWatch(inotify, selfFD(fd), mask)
	if err != nil {
		return 0, problem(dir, fmt.Errorf("watching: %w", err))
	}
	return wd, nil
}

// Held is a file of the node that is kept open because it is read again and again:
// those of /proc and /sys tell no one when they change.
type Held struct {
	Path string
	fd   int
	// whole is whether one read gives everything: sysctls and sysfs attributes fit into
	// a page.
	whole bool
}

// Hold opens a regular file of the kernel's own. Files of other file systems are
// refused: they may be replaced while they are held.
func (r *Root) Hold(name string) (*Held, error) {
	path, err := r.resolve(name, 0)
	if err != nil {
		return nil, problem(name, err)
	}
	defer closeFD(path)
	var st unix.Stat_t
	var sf unix.Statfs_t
	if err := unix.Fstat(path, &st); err != nil {
		return nil, problem(name, err)
	}
	if err := unix.Fstatfs(path, &sf); err != nil {
		return nil, problem(name, err)
	}
	if t := typeOf(st.Mode); t != 0 || (sf.Type != unix.PROC_SUPER_MAGIC && sf.Type != unix.SYSFS_MAGIC) {
		return nil, problem(name, ErrNotRegular)
	}
	fd, err := unix.Open(selfFD(path), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, problem(name, err)
	}
	return &Held{Path: name, fd: fd, whole: strings.HasPrefix(name, "/proc/sys/") || sf.Type == unix.SYSFS_MAGIC}, nil
}

// Read reads the file from its beginning into buf and returns how many bytes there
// are; what does not fit is left out. An error means that what it was about is gone.
func (f *Held) Read(buf []byte) (int, error) {
	n := 0
	for n < len(buf) {
		more, err := unix.Pread(f.fd, buf[n:], int64(n))
		if err != nil {
			return n, problem(f.Path, err)
		}
		n += more
		if more == 0 || f.whole {
			break
		}
	}
	return n, nil
}

// Close closes the file.
func (f *Held) Close() error { return unix.Close(f.fd) }
