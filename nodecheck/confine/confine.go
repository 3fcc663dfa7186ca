//go:build linux

// Package confine takes rights from this process, for good, that an agent which reads
// has no use for. The mount of a node's root is read-only, but that holds for the root
// alone: what is mounted below it, as /proc, /sys, /run and often /var, comes with the
// flags that it has on the node. A process of root could write there without any
// capability.
//
// It does not restrict reading, nor the network.
package confine

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rights are those that no version of Landlock lacks (landlock(7)); later are those that
// came with a version. What a version does not know must not be named.
const rights = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
	unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
	unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
	unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK |
	unix.LANDLOCK_ACCESS_FS_MAKE_SYM

var later = []struct {
	since uintptr
	right uint64
}{
	{2, unix.LANDLOCK_ACCESS_FS_REFER}, {3, unix.LANDLOCK_ACCESS_FS_TRUNCATE}, {5, unix.LANDLOCK_ACCESS_FS_IOCTL_DEV},
}

// Process keeps this process, and all that it starts, from writing, making, removing and
// executing files, and from becoming more than it is. What is open stays open. It needs no
// right. The version is the kernel's of Landlock. Kernels before 5.13, those that are
// started without Landlock, some seccomp profiles and programs with cgo give an error, and
// then nothing has changed but that no privilege can be gained.
func Process() (version int, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("confining this process: %w", err)
		}
	}()
	v, _, no := syscall.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if no != 0 {
		return 0, no
	}
	handled := uint64(rights)
	for _, l := range later {
		if v >= l.since {
			handled |= l.right
		}
	}
	// The structure has grown since, and its size says how much of it is meant.
	fd, _, no := syscall.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&handled)), unsafe.Sizeof(handled), 0) //nolint:gosec // the kernel reads it during the call
	if no != 0 {
		return 0, no
	}
	defer func() { err = errors.Join(err, unix.Close(int(fd))) }()
	// Threads have their own rights, and new ones those of whoever starts them.
	if _, _, no := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); no != 0 {
		return 0, no
	}
	if _, _, no := syscall.AllThreadsSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); no != 0 {
		return 0, no
	}
	return int(v), nil
}
