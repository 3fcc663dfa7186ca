//go:build linux

package watch

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path"
	"time"

	"golang.org/x/sys/unix"
)

// What is asked of inotify. Writing is asked for only where content matters: a
// directory of logs would report all day long. Masks are added up, since one
// directory may be reached by two paths.
const (
	always = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_ATTRIB |
		unix.IN_CLOSE_WRITE | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR | unix.IN_MASK_ADD
	written    = unix.IN_MODIFY
	structural = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO
	itself     = unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_UNMOUNT | unix.IN_IGNORED
)

// batch is the pause after events: what happens meanwhile comes in one read.
const batch = 40 * time.Millisecond

// event is one struct inotify_event. Its name is a part of the buffer: of most names,
// nobody wants to know.
type event struct {
	wd   int
	mask uint32
	name []byte
}

// openInotify returns the instance as a file, whose Read waits in the runtime and
// ends with Close.
func openInotify() (*os.File, int, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, -1, fmt.Errorf("making an inotify instance: %w", err)
	}
	return os.NewFile(uintptr(fd), "inotify"), fd, nil
}

// parse takes what the kernel wrote apart: 4 bytes of watch, mask, cookie and length
// each, then the name, filled up with NUL bytes. A rest that is no whole event is
// left out; the kernel writes none.
func parse(buf []byte, yield func(event)) {
	for len(buf) >= unix.SizeofInotifyEvent {
		length := int(binary.NativeEndian.Uint32(buf[12:]))
		end := unix.SizeofInotifyEvent + length
		if length < 0 || end > len(buf) {
			return
		}
		name, _, _ := bytes.Cut(buf[unix.SizeofInotifyEvent:end], []byte{0})
		yield(event{
			wd:   int(int32(binary.NativeEndian.Uint32(buf))),
			mask: binary.NativeEndian.Uint32(buf[4:]), name: name,
		})
		buf = buf[end:]
	}
}

// concerns is whether an event in a directory matters, and the path that it is
// about.
func (d *directory) concerns(dir string, e event) (string, bool) {
	if e.mask&itself != 0 {
		return dir, true
	}
	if len(e.name) == 0 {
		return dir, d.part // the directory's own attributes: else its parent reports them too
	}
	opened, known := d.names[string(e.name)]
	switch {
	case known && (opened || e.mask&^(unix.IN_MODIFY|unix.IN_CLOSE_WRITE|unix.IN_ISDIR) != 0):
	case d.listed && e.mask&structural != 0:
	default:
		return "", false
	}
	return path.Join(dir, string(e.name)), true
}
