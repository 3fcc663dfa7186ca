package host

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A Fragment is one file of a configuration that is spread over directories.
type Fragment struct {
	Name string // the base name
	Path string
	File *File // nil where Err is set
	Err  error
}

// Fragments returns the files with a suffix in directories, as systemd and kmod
// take them: of files with one name, the one in the earlier directory masks the
// others, and one that is a link to /dev/null is none; the rest is in the order of
// names, whatever their directory. Directories that do not exist are passed over.
// A file that cannot be read is in the list with its error: what it would have
// masked is masked, and what it says is not known.
func (h *Host) Fragments(dirs []string, suffix string) ([]Fragment, error) {
	type place struct {
		path string
		link bool
	}
	chosen := map[string]place{}
	for _, dir := range dirs {
		entries, err := h.Dir(dir)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNotDirectory) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if _, taken := chosen[e.Name]; !taken && strings.HasSuffix(e.Name, suffix) && e.Type != fs.ModeDir {
				chosen[e.Name] = place{path.Join(dir, e.Name), e.Type == fs.ModeSymlink}
			}
		}
	}
	names := make([]string, 0, len(chosen))
	for name := range chosen {
		names = append(names, name)
	}
	slices.Sort(names)
	list := make([]Fragment, 0, len(names))
	for _, name := range names {
		p := chosen[name]
		if p.link {
			if masked, err := h.masked(p.path); err == nil && masked {
				continue
			}
		}
		f, err := h.File(p.path)
		list = append(list, Fragment{Name: name, Path: p.path, File: f, Err: err})
	}
	return list, nil
}

// masked is whether a path is a link to /dev/null. The link itself is looked at: a
// copied tree has no devices.
func (h *Host) masked(name string) (bool, error) {
	info, err := h.Lstat(name)
	if err != nil || info.Type != fs.ModeSymlink {
		return false, err
	}
	target := info.Link
	if !path.IsAbs(target) {
		target = path.Join(path.Dir(name), target)
	}
	return clean(target) == "/dev/null", nil
}
