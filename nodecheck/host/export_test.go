//go:build linux

package host

import "golang.org/x/sys/unix"

// WithoutOpenat2 makes a root resolve paths itself, as on a kernel before 5.6.
func (r *Root) WithoutOpenat2() { r.open2.Store(false) }

// HasOpenat2 is whether the kernel still does it.
func (r *Root) HasOpenat2() bool { return r.open2.Load() }

// TellOwnMounts makes Remounted tell of this process's mounts and not of those of the first
// process, which a test cannot change.
func (r *Root) TellOwnMounts() (err error) {
	r.parts.mounts, err = unix.Open("/proc/self/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	return err
}
