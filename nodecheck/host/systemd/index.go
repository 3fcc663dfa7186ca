package systemd

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// searchPath is where the system manager looks for units, the first one first; see
// systemd.unit(5) and systemd-analyze unit-paths.
var searchPath = []string{
	"/etc/systemd/system.control",
	"/run/systemd/system.control",
	"/run/systemd/transient",
	"/run/systemd/generator.early",
	"/etc/systemd/system",
	"/etc/systemd/system.attached",
	"/run/systemd/system",
	"/run/systemd/system.attached",
	"/run/systemd/generator",
	"/usr/local/lib/systemd/system",
	"/lib/systemd/system", // before /usr/lib where they are two
	"/usr/lib/systemd/system",
	"/run/systemd/generator.late",
}

var unitTypes = []string{
	".service", ".socket", ".target", ".timer", ".path", ".mount", ".automount", ".swap", ".slice", ".scope", ".device",
}

// index is what the directories of the search path have.
type index struct {
	dirs    []string // those that exist, links followed, each once
	entries map[string]entry
	folders map[string][]string // the directories in them by name, in the order of the search path
	loaded  map[string]loaded
}

// entry is what a name stands for: a file, nothing (masked) or another name.
type entry struct {
	path   string
	masked bool
	alias  string
}

type loaded struct {
	unit *Unit
	err  error
}

func newIndex(h *host.Host) (*index, error) {
	x := &index{entries: map[string]entry{}, folders: map[string][]string{}, loaded: map[string]loaded{}}
	for _, dir := range searchPath {
		info, err := h.Stat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, err
		case info.Type != fs.ModeDir || slices.Contains(x.dirs, info.Path):
			continue
		}
		x.dirs = append(x.dirs, info.Path)
	}
	for _, dir := range x.dirs {
		if err := x.add(h, dir); err != nil {
			return nil, err
		}
	}
	return x, nil
}

func (x *index) add(h *host.Host, dir string) error {
	entries, err := h.Dir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch ext := path.Ext(e.Name); {
		case ext == ".d" || ext == ".wants" || ext == ".requires" || ext == ".upholds":
			x.folders[e.Name] = append(x.folders[e.Name], path.Join(dir, e.Name))
			continue
		case !slices.Contains(unitTypes, ext) || (e.Type != 0 && e.Type != fs.ModeSymlink):
			continue
		}
		if _, taken := x.entries[e.Name]; taken {
			continue
		}
		found := entry{path: path.Join(dir, e.Name)}
		if e.Type == fs.ModeSymlink {
			var ok bool
			if ok, err = x.link(h, &found); err != nil {
				return err
			}
			if !ok {
				continue
			}
		}
		x.entries[e.Name] = found
	}
	return nil
}

// link tells what a link in the search path is: a mask, another name of a unit in
// it, or the file of a unit that is elsewhere. It is not ok where systemd takes no
// notice of it.
func (x *index) link(h *host.Host, e *entry) (ok bool, err error) {
	info, err := h.Lstat(e.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	target := info.Link
	if !path.IsAbs(target) {
		target = path.Join(path.Dir(e.path), target)
	}
	target = path.Clean(target)
	if target == "/dev/null" {
		e.masked = true
		return true, nil
	}
	inside, err := x.inside(h, path.Dir(target))
	if err != nil || !inside {
		return err == nil, err
	}
	name, alias := path.Base(e.path), path.Base(target)
	if alias == name || !mayAlias(name, alias) {
		return false, nil
	}
	e.alias = alias
	return true, nil
}

// inside is whether a directory is one of the search path or below one.
func (x *index) inside(h *host.Host, dir string) (bool, error) {
	info, err := h.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return slices.Contains(searchPath, dir), nil
	case err != nil:
		return false, err
	}
	return slices.ContainsFunc(x.dirs, func(dir string) bool {
		return info.Path == dir || strings.HasPrefix(info.Path, dir+"/")
	}), nil
}

// mayAlias is whether a name may stand for another: both of one type, both plain,
// both templates, or instances of one name.
func mayAlias(name, target string) bool {
	a, b := split(name), split(target)
	switch {
	case a.ext != b.ext || a.isTemplate != b.isTemplate:
		return false
	case a.isTemplate && a.instance != "":
		return b.instance == a.instance || b.instance == ""
	}
	return b.instance == ""
}

// maxAliases bounds the way from name to name.
const maxAliases = 8

// get follows a name to the file that it stands for.
func (x *index) get(name string) (entry, error) {
	for range maxAliases {
		e, ok := x.entries[name]
		switch {
		case !ok:
			return entry{}, fs.ErrNotExist
		case e.alias == "":
			return e, nil
		}
		name = e.alias
	}
	return entry{}, host.ErrLoop
}

// find returns the unit that a name stands for and that unit's own name. An instance
// without a file of its own, or with a link to none, is made of its template.
func (x *index) find(name string) (string, entry, error) {
	n := split(name)
	e, err := x.get(name)
	if errors.Is(err, fs.ErrNotExist) && n.instance != "" {
		e, err = x.get(n.template())
	}
	if err != nil {
		return "", entry{}, err
	}
	return split(path.Base(e.path)).of(n.instance), e, nil
}

// names returns every name of a unit, its own first. The names of a template are
// those of its instances, but where one has a file of its own.
func (x *index) names(id string, file entry) []string {
	list := []string{id}
	instance := split(id).instance
	for name, e := range x.entries {
		if e.alias == "" {
			continue
		}
		name = split(name).of(instance)
		if other, found, err := x.find(name); err == nil && other == id && found == file && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	slices.Sort(list[1:])
	return list
}

// dropInDirs are the directories with the drop-ins of a unit that has these names.
// Of two files with one name, that for the unit's own name counts, then the more
// local one, then the one for fewer units.
func (x *index) dropInDirs(names []string) []string {
	var dirs []string
	for _, name := range names {
		kinds := split(name).dropIns()
		for _, dir := range x.dirs {
			for _, kind := range kinds {
				if p := path.Join(dir, kind); slices.Contains(x.folders[kind], p) && !slices.Contains(dirs, p) {
					dirs = append(dirs, p)
				}
			}
		}
	}
	return append(dirs, x.folders[strings.TrimPrefix(path.Ext(names[0]), ".")+".d"]...)
}
