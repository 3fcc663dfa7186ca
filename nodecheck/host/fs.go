package host

import (
	"errors"
	"io/fs"
	"time"
)

// FS is the file system of a node. Paths are absolute and slash-separated, as
// the node itself would write them. Errors are *Error; they wrap fs.ErrNotExist,
// fs.ErrPermission or one of this package's where one of those is the reason.
// A scan uses it from one goroutine, but one that hangs may overlap with the next.
type FS interface {
	// Stat describes what a path leads to, symbolic links followed.
	Stat(path string) (Info, error)
	// Lstat describes the path itself, a symbolic link included.
	Lstat(path string) (Info, error)
	// ReadFile returns the content of a regular file of at most limit bytes.
	ReadFile(path string, limit int64) ([]byte, Info, error)
	// ReadDir lists a directory in the order of names, at most maxEntries of them.
	ReadDir(path string) ([]Entry, error)
}

// Info describes a file.
type Info struct {
	// Path is where the file is once every link is followed, from the node's root.
	Path string
	// Type has the type bits only: 0 for a regular file.
	Type fs.FileMode
	// Mode is the permission bits with setuid, setgid and sticky: 0 to 07777.
	Mode     uint32
	UID, GID uint32
	// Size is 0 for most files below /proc and /sys, whatever they contain.
	Size    int64
	ModTime time.Time
	// Link is what a symbolic link says; from Lstat only.
	Link string
	// ACL is whether a POSIX access control list names users or groups besides the
	// owner. Its mask is the group part of Mode, so that no entry grants more than
	// Mode shows for the group.
	ACL bool
}

// Entry is one name in a directory.
type Entry struct {
	Name string
	Type fs.FileMode // as in Info; of the entry itself, a link included
}

// The reasons of this package why something could not be read.
var (
	// ErrNotRegular: a directory, FIFO, device or socket stands where a file should be.
	ErrNotRegular = errors.New("not a regular file")
	// ErrNotDirectory: something else stands where a directory should be.
	ErrNotDirectory = errors.New("not a directory")
	// ErrTooLarge: the file or directory is larger than anything sane of its kind.
	ErrTooLarge = errors.New("too large")
	// ErrLoop: symbolic links, or files that include each other, go round.
	ErrLoop = errors.New("too many links")
	// ErrChanging: the file was written to each time it was read.
	ErrChanging = errors.New("it changes while it is read")
	// ErrNotMounted: it is outside of the directories that this process sees of the node. It
	// may exist or not.
	ErrNotMounted = errors.New("not mounted for the agent: add the directory to nodecheck.hostPaths, or set nodecheck.hostRoot=true")
	// ErrMalformed: the content is not of the format that it should have.
	ErrMalformed = errors.New("malformed")
)

// Error is what went wrong with a path of the node.
type Error struct {
	Path string // as it was asked for, with ":" and a line where one is to blame
	Err  error
}

// Error names the path first.
func (e *Error) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// maxEntries bounds a directory: more names in one of those that are read are an
// attack or an accident.
const maxEntries = 20000
