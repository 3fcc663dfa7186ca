//go:build !linux

package host

import (
	"errors"
	"fmt"
)

// Root is a directory of this machine as the root of a node; on Linux only.
type Root struct{}

// Open says that it cannot be done here.
func Open(dir string) (*Root, error) {
	return nil, fmt.Errorf("opening %s as the root of a node: %w: nodes are read on Linux only", dir, errors.ErrUnsupported)
}

// OpenParts says that it cannot be done here.
func OpenParts(dir string) (*Root, error) { return Open(dir) }

// Parts returns nil.
func (*Root) Parts() []string { return nil }

// Replaced returns nil.
func (*Root) Replaced() error { return nil }

// Remounted returns false.
func (*Root) Remounted() bool { return false }

// Close implements io.Closer.
func (*Root) Close() error { return nil }

// Stat implements FS.
func (*Root) Stat(name string) (Info, error) { return Info{}, unsupported(name) }

// Lstat implements FS.
func (*Root) Lstat(name string) (Info, error) { return Info{}, unsupported(name) }

// ReadFile implements FS.
func (*Root) ReadFile(name string, _ int64) ([]byte, Info, error) {
	return nil, Info{}, unsupported(name)
}

// ReadDir implements FS.
func (*Root) ReadDir(name string) ([]Entry, error) { return nil, unsupported(name) }

func unsupported(name string) error { return &Error{Path: name, Err: errors.ErrUnsupported} }
