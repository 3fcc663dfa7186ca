//go:build linux

package host

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Root is a directory of this machine as the root of a node. It holds the
// directory open: one that is renamed or mounted over meanwhile stays the same. It is
// for any number of goroutines: a scan that hangs and the next one share it.
type Root struct {
	fd   int
	path atomic.Pointer[string] // as the kernel names it, to tell where files are below it
	// open2 is whether the kernel resolves paths in a root by itself.
	open2 atomic.Bool
	// parts is nil where the whole root is the node's.
	parts *parts
	// proc is the root's own /proc, or -1 where none is mounted there.
	proc int
}

// Open opens a directory as the root of a node. Close closes it.
func Open(dir string) (*Root, error) {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening the root of the node: %w", &fs.PathError{Op: "open", Path: dir, Err: err})
	}
	r := &Root{fd: fd}
	r.open2.Store(true)
	name, err := pathOf(fd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the root of the node: %w", err), unix.Close(fd))
	}
	r.path.Store(&name)
	r.proc = r.openProc()
	return r, nil
}

// Close closes the root.
func (r *Root) Close() error {
	if r.proc >= 0 {
		closeFD(r.proc)
	}
	if r.parts != nil && r.parts.mounts >= 0 {
		closeFD(r.parts.mounts)
	}
	return unix.Close(r.fd)
}

// Stat implements FS.
func (r *Root) Stat(name string) (Info, error) {
	fd, at, err := r.locate(name, unix.O_PATH)
	if err != nil {
		return Info{}, problem(name, err)
	}
	defer closeFD(fd)
	info, _, err := r.describe(name, fd, at)
	if err == nil && info.Type == 0 {
		info.ACL = hasACL(fd)
	}
	return info, err
}

// Identify tells one state of a file from every other; see Derive.
func (r *Root) Identify(name string) (Identity, Info, error) {
	fd, at, err := r.locate(name, unix.O_PATH)
	if err != nil {
		return Identity{}, Info{}, problem(name, err)
	}
	defer closeFD(fd)
	info, st, err := r.describe(name, fd, at)
	return Identity{
		Device: st.Dev, Inode: st.Ino, Size: st.Size,
		Modified: time.Unix(st.Mtim.Unix()), Changed: time.Unix(st.Ctim.Unix()),
	}, info, err
}

// Lstat implements FS.
func (r *Root) Lstat(name string) (Info, error) {
	if info, ok := r.linkOfRoot(name); ok {
		return info, nil
	}
	fd, at, err := r.locate(name, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return Info{}, problem(name, err)
	}
	defer closeFD(fd)
	info, _, err := r.describe(name, fd, at)
	if err != nil || info.Type != fs.ModeSymlink {
		return info, err
	}
	if info.Link, err = readlinkat(fd, ""); err != nil {
		return Info{}, problem(name, err)
	}
	return info, nil
}

// reads is how often a file that changes while it is read is read again.
const reads = 3

// ReadFile implements FS.
func (r *Root) ReadFile(name string, limit int64) ([]byte, Info, error) {
	if data, info, done, err := r.readProc(name, limit); done {
		return data, info, err
	}
	fd, at, err := r.locate(name, unix.O_PATH)
	if err != nil {
		return nil, Info{}, problem(name, err)
	}
	defer closeFD(fd)
	info, before, err := r.describe(name, fd, at)
	switch {
	case err != nil:
		return nil, Info{}, err
	case info.Type != 0:
		return nil, info, problem(name, fmt.Errorf("%w: %s", ErrNotRegular, kind(info.Type)))
	}
	for range reads {
		if before.Size > limit {
			return nil, info, problem(name, fmt.Errorf("%w: %d bytes, at most %d are read", ErrTooLarge, before.Size, limit))
		}
		data, err := readAll(fd, before.Size, limit)
		if err != nil {
			return nil, info, problem(name, err)
		}
		var after unix.Stat_t
		if err := unix.Fstat(fd, &after); err != nil {
			return nil, info, problem(name, err)
		}
		same := after.Mtim == before.Mtim && after.Ctim == before.Ctim && int64(len(data)) == after.Size
		if same || ofKernel(fd) {
			info.Size, info.ModTime = after.Size, time.Unix(after.Mtim.Unix())
			return data, info, nil
		}
		before = after
	}
	return nil, Info{}, problem(name, ErrChanging)
}

// ofKernel is whether a file is one that the kernel makes up when it is read: of
// /proc the size is 0, of /sys a page, and the times mean nothing.
func ofKernel(fd int) bool {
	var st unix.Statfs_t
	if unix.Fstatfs(fd, &st) != nil {
		return false
	}
	switch st.Type {
	case unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.CGROUP2_SUPER_MAGIC, unix.SECURITYFS_MAGIC, unix.DEBUGFS_MAGIC, unix.EFIVARFS_MAGIC:
		return true
	}
	return false
}

// readAll opens what an O_PATH descriptor stands for, which is known to be regular
// by now: devices and FIFOs must not be opened even once.
func readAll(path int, size, limit int64) ([]byte, error) {
	fd, err := unix.Open(selfFD(path), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer closeFD(fd)
	return readFrom(fd, size, limit)
}

// readFrom reads a file of an expected size to its end.
func readFrom(fd int, size, limit int64) ([]byte, error) {
	const spare = 512 // so that the end shows without growing, and for files without a size
	data := make([]byte, 0, size+spare)
	for {
		n, err := unix.Read(fd, data[len(data):cap(data)])
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, err
		case n == 0:
			return data, nil
		}
		data = data[:len(data)+n]
		if size > 0 && int64(len(data)) == size {
			return data, nil // the caller asks whether this is still the size
		}
		if int64(len(data)) > limit {
			return nil, fmt.Errorf("%w: at most %d bytes are read", ErrTooLarge, limit)
		}
		if len(data) == cap(data) {
			data = slices.Grow(data, len(data))
		}
	}
}

// ReadDir implements FS.
func (r *Root) ReadDir(name string) ([]Entry, error) {
	// O_DIRECTORY opens nothing else, so that there is no need to look first.
	fd, _, err := r.locate(name, unix.O_RDONLY|unix.O_DIRECTORY)
	if errors.Is(err, unix.ENOTDIR) {
		if info, err := r.Stat(name); err == nil && info.Type != fs.ModeDir {
			return nil, problem(name, fmt.Errorf("%w: %s", ErrNotDirectory, kind(info.Type)))
		}
	}
	if err != nil {
		return nil, problem(name, err)
	}
	defer closeFD(fd)
	entries, err := list(fd)
	if err != nil {
		return nil, problem(name, err)
	}
	return entries, nil
}

// describe says what a descriptor stands for. at is where that is, if it is known.
func (r *Root) describe(name string, fd int, at string) (Info, unix.Stat_t, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return Info{}, st, problem(name, err)
	}
	info := Info{
		Path: at, Type: typeOf(st.Mode), Mode: st.Mode & 0o7777, UID: st.Uid, GID: st.Gid,
		Size: st.Size, ModTime: time.Unix(st.Mtim.Unix()),
	}
	if at == "" {
		info.Path = r.pathInside(fd, name)
	}
	return info, st, nil
}

// pathInside is where a descriptor is below the root; name where that cannot be told.
// What was deleted or replaced meanwhile is nowhere any more.
func (r *Root) pathInside(fd int, name string) string {
	if full, err := pathOf(fd); err == nil && !strings.HasSuffix(full, " (deleted)") {
		if p, ok := r.inside(full); ok {
			return p
		}
	}
	return name
}

// hasACL asks for the size of the attribute: the entries of owner, group, others
// and mask are in every list, named users and groups come on top.
func hasACL(fd int) bool {
	n, err := unix.Getxattr(selfFD(fd), "system.posix_acl_access", nil)
	return err == nil && n > aclHeader+4*aclEntry
}

// The layout of the attribute, see linux/posix_acl_xattr.h.
const (
	aclHeader = 4
	aclEntry  = 8
)

// inside takes the root's own path off the front. It is not ok where the file is
// not below it as the kernel names it.
func (r *Root) inside(full string) (string, bool) {
	if p, ok := below(*r.path.Load(), full); ok {
		return p, true
	}
	// The root may have been renamed.
	now, err := pathOf(r.fd)
	if err != nil {
		return "", false
	}
	r.path.Store(&now)
	return below(now, full)
}

func below(dir, full string) (string, bool) {
	switch rest, ok := strings.CutPrefix(full, dir); {
	case !path.IsAbs(full):
		return "", false // out of reach of this process
	case dir == "/":
		return full, true
	case ok && rest == "":
		return "/", true
	case ok && path.IsAbs(rest):
		return rest, true
	}
	return "", false
}

// problem puts an error of the kernel in the words of FS.
func problem(name string, err error) error {
	switch {
	case errors.Is(err, unix.ELOOP):
		err = ErrLoop
	case errors.Is(err, unix.ENOTDIR):
		// A file stands where a directory of the path should be.
		err = fs.ErrNotExist
	case errors.Is(err, unix.ENOENT):
		err = fs.ErrNotExist
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		err = fs.ErrPermission
	}
	return &Error{Path: name, Err: err}
}
