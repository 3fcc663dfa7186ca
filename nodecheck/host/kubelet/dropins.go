package kubelet

import (
	"fmt"
	"io/fs"
	"path"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// The bounds of a directory of drop-ins.
const (
	maxDepth   = 16
	maxDropIns = 500
	maxBytes   = 1 << 20
)

// walk reads the drop-ins below a directory as filepath.WalkDir comes upon them: in
// the order of names, what is in a directory at its place. A link to a directory is
// not followed, not even at the top, unless the path ends in a slash.
func (l *layers) walk(h *host.Host, dir string, slash bool, depth int) error {
	top := depth == maxDepth
	if top && !slash {
		info, err := h.Lstat(dir)
		if err != nil {
			return err
		}
		if info.Type != fs.ModeDir {
			return l.dropIn(h, dir)
		}
	}
	if depth == 0 {
		return &host.Error{Path: dir, Err: fmt.Errorf("%w: directories in directories", host.ErrTooLarge)}
	}
	entries, err := h.Dir(dir)
	if err != nil {
		return err
	}
	if !top {
		l.dirs = append(l.dirs, dir)
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name)
		if e.Type == fs.ModeDir {
			err = l.walk(h, name, false, depth-1)
		} else {
			err = l.dropIn(h, name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dropIn reads one file, unless its name says that it is none. One that cannot be
// read does not hide those that follow.
func (l *layers) dropIn(h *host.Host, name string) error {
	if path.Ext(name) != ".conf" {
		return nil
	}
	if len(l.paths) > maxDropIns {
		return &host.Error{Path: l.dir, Err: fmt.Errorf("%w: more than %d drop-ins", host.ErrTooLarge, maxDropIns)}
	}
	l.paths = append(l.paths, name)
	d, err := load(h, name, ofKubelet, false)
	if err == nil {
		l.bytes += len(d.file.Data)
	}
	switch {
	case l.bytes > maxBytes:
		return &host.Error{Path: l.dir, Err: fmt.Errorf("%w: more than %d bytes of drop-ins", host.ErrTooLarge, maxBytes)}
	case err == nil:
		l.dropIns = append(l.dropIns, d)
	case l.err == nil:
		l.err = err
	}
	return nil
}
