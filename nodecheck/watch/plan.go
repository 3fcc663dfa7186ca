package watch

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Looked is what a scan looked at, as package host tells it.
type Looked struct {
	Touched []string
	Listed  []string
	Opened  []string
	Files   []*host.File
	// Processes are the files of those processes whose end matters.
	Processes []string
}

// Of returns what a finished scan looked at.
func Of(h *host.Host) Looked {
	return Looked{Touched: h.Touched(), Listed: h.Listed(), Opened: h.Opened(), Files: h.Files()}
}

// Join adds what another host looked at.
func (l Looked) Join(other Looked) Looked {
	return Looked{
		Touched: append(l.Touched, other.Touched...), Listed: append(l.Listed, other.Listed...),
		Opened: append(l.Opened, other.Opened...), Files: append(l.Files, other.Files...),
		Processes: append(l.Processes, other.Processes...),
	}
}

// ofFiles is as much of it as directories are watched for, each path once: a path
// that was asked for and is now read as well is to be watched in another way.
func (l Looked) ofFiles() Looked {
	opened := slices.Clone(l.Opened)
	for _, f := range l.Files {
		opened = append(opened, f.Info.Path)
	}
	return Looked{Touched: paths(l.Touched), Listed: paths(l.Listed), Opened: paths(opened)}
}

func (l Looked) equal(other Looked) bool {
	return slices.Equal(l.Touched, other.Touched) && slices.Equal(l.Listed, other.Listed) && slices.Equal(l.Opened, other.Opened)
}

// paths returns those that are not the kernel's, in order.
func paths(list []string) []string {
	list = slices.DeleteFunc(slices.Clone(list), ofKernel)
	slices.Sort(list)
	return slices.Compact(list)
}

// directory is what matters in one directory.
type directory struct {
	// names are those on the way to what was looked at; true where the content of
	// the file matters, and not only that it is there and whose it is.
	names map[string]bool
	// listed is whether every name matters that comes or goes.
	listed bool
	// written is whether the content of any file in it matters.
	written bool
	// part is whether the directory above is not the node's, and reports nothing.
	part bool
}

// plan is the directories to watch, by their real paths.
type plan map[string]*directory

type lstat func(string) (host.Info, error)

// planner finds the directories behind paths. Every directory on the way is among
// them: a link or a directory further up may be replaced as well as the file itself.
// Of what does not exist, the nearest directory that does is watched.
type planner struct {
	lstat lstat
	known map[string]host.Info
	gone  map[string]bool
	plan  plan
}

func newPlan(looked Looked, ask lstat) plan {
	p := planner{lstat: ask, known: map[string]host.Info{}, gone: map[string]bool{}, plan: plan{}}
	listed, opened := set(looked.Listed), set(looked.Opened)
	for _, name := range looked.Touched {
		p.add(name, listed[name], opened[name])
	}
	return p.plan
}

// maxLinks is how many links a path may lead through, as in the kernel.
const maxLinks = 40

func (p *planner) add(name string, listed, opened bool) {
	dir, rest := "/", elements(name)
	for links := 0; len(rest) > 0; {
		element := rest[0]
		rest = rest[1:]
		if element == ".." {
			dir = path.Dir(dir)
			continue
		}
		if ofKernel(dir) {
			return
		}
		p.name(dir, element, opened)
		next := path.Join(dir, element)
		info, ok := p.info(next)
		if !ok {
			return
		}
		switch info.Type {
		case fs.ModeDir:
			dir = next
		case fs.ModeSymlink:
			if links++; links > maxLinks {
				return
			}
			if path.IsAbs(info.Link) {
				dir = "/"
			}
			rest = append(elements(info.Link), rest...)
		default:
			return // a file: what would be below it does not exist
		}
	}
	if listed && !ofKernel(dir) {
		p.directory(dir).listed = true
	}
}

func (p *planner) name(dir, element string, opened bool) {
	d := p.directory(dir)
	d.names[element] = d.names[element] || opened
	d.written = d.written || opened
}

func (p *planner) directory(dir string) *directory {
	d := p.plan[dir]
	if d == nil {
		d = &directory{names: map[string]bool{}}
		p.plan[dir] = d
	}
	return d
}

func (p *planner) info(name string) (host.Info, bool) {
	if info, ok := p.known[name]; ok {
		return info, true
	}
	if p.gone[name] {
		return host.Info{}, false
	}
	info, err := p.lstat(name)
	if errors.Is(err, host.ErrNotMounted) {
		// One of the container's own directories, which nothing changes: what the node has
		// may be below it.
		info, err = host.Info{Path: name, Type: fs.ModeDir}, nil
	}
	if err != nil {
		p.gone[name] = true
		return host.Info{}, false
	}
	p.known[name] = info
	return info, true
}

// ofKernel is whether a path is on one of the file systems where inotify is silent,
// or where devices come and go.
func ofKernel(name string) bool {
	for _, top := range []string{"/proc", "/sys", "/dev"} {
		if rest, ok := strings.CutPrefix(name, top); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

func elements(name string) (list []string) {
	for e := range strings.SplitSeq(name, "/") {
		if e != "" && e != "." {
			list = append(list, e)
		}
	}
	return list
}

func set(list []string) map[string]bool {
	s := make(map[string]bool, len(list))
	for _, name := range list {
		s[name] = true
	}
	return s
}

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
