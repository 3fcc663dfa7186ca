//go:build linux

package host

// WithoutOpenat2 makes a root resolve paths itself, as on a kernel before 5.6.
func (r *Root) WithoutOpenat2() { r.open2.Store(false) }

// HasOpenat2 is whether the kernel still does it.
func (r *Root) HasOpenat2() bool { return r.open2.Load() }
