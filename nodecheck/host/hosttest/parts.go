package hosttest

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Parts is as much of a tree as a container sees where single directories of it are
// mounted, as host.OpenParts does it: a directory that is a link is mounted as what it
// leads to, and is seen as a link again if that is mounted too. What a tree lacks is not
// mounted.
type Parts struct {
	seen   *Tree
	dirs   []string
	hidden string // all but this, where it is set
}

// NewParts mounts directories of a tree.
func NewParts(t *Tree, dirs ...string) *Parts {
	p := &Parts{seen: &Tree{nodes: map[string]*node{}}}
	p.seen.visit = p.visit
	p.seen.Mkdir("/")
	// Those that others are links to come first: /usr may be a link itself.
	dirs = slices.Clone(dirs)
	slices.SortStableFunc(dirs, func(a, b string) int { return order(a) - order(b) })
	mounted := map[string]string{} // what is mounted, and where
	for _, dir := range dirs {
		n, err := t.resolve(dir, true)
		if err != nil || n.info.Type != fs.ModeDir {
			continue
		}
		p.dirs = append(p.dirs, dir)
		p.seen.Mkdir(path.Dir(dir))
		if to, ok := shown(mounted, n.info.Path); ok && order(dir) > 0 {
			p.link(dir, to)
			continue
		}
		p.graft(t, n.info.Path, dir)
		mounted[n.info.Path] = dir
	}
	slices.Sort(p.dirs)
	// As host.OpenParts has it.
	if lib := p.seen.nodes["/lib"]; lib != nil && lib.info.Type == fs.ModeSymlink && p.seen.nodes["/lib64"] == nil {
		p.dirs = append(p.dirs, "/lib64")
		p.link("/lib64", "/usr/lib")
		if p.seen.nodes["/usr/lib64"] != nil {
			p.link("/lib64", "/usr/lib64")
		}
	}
	return p
}

// order tells directories that are links on some nodes from the others.
func order(dir string) int {
	if slices.Contains([]string{"/bin", "/lib", "/lib32", "/lib64", "/sbin"}, dir) {
		return 1
	}
	return 0
}

func (p *Parts) link(name, to string) {
	p.seen.nodes[name] = &node{info: host.Info{Path: name, Type: fs.ModeSymlink, Mode: 0o777, Link: to}}
}

// shown is where a directory is seen below one that is mounted.
func shown(mounted map[string]string, real string) (string, bool) {
	for from, at := range mounted {
		if rest, ok := strings.CutPrefix(real, from); ok && (rest == "" || rest[0] == '/') {
			return at + rest, true
		}
	}
	return "", false
}

func (p *Parts) graft(t *Tree, from, to string) {
	for name, n := range t.nodes {
		rest, ok := strings.CutPrefix(name, from)
		if !ok || rest != "" && rest[0] != '/' {
			continue
		}
		copied := *n
		copied.info.Path = to + rest
		p.seen.nodes[to+rest] = &copied
	}
}

// Stat implements host.FS.
func (p *Parts) Stat(name string) (host.Info, error) { return p.known(name)(p.seen.Stat(name)) }

// Lstat implements host.FS.
func (p *Parts) Lstat(name string) (host.Info, error) { return p.known(name)(p.seen.Lstat(name)) }

// ReadFile implements host.FS.
func (p *Parts) ReadFile(name string, limit int64) ([]byte, host.Info, error) {
	if _, err := p.Stat(name); err != nil {
		return nil, host.Info{}, err
	}
	return p.seen.ReadFile(name, limit)
}

// ReadDir implements host.FS.
func (p *Parts) ReadDir(name string) ([]host.Entry, error) {
	if _, err := p.Stat(name); err != nil {
		return nil, err
	}
	return p.seen.ReadDir(name)
}

// known refuses directories that lead to parts, and are the container's own.
func (p *Parts) known(name string) func(host.Info, error) (host.Info, error) {
	return func(info host.Info, err error) (host.Info, error) {
		if err == nil && !p.inside(info.Path) {
			return host.Info{}, &host.Error{Path: name, Err: notMounted(name, info.Path)}
		}
		return info, err
	}
}

// visit is an error where a path leaves what is mounted.
func (p *Parts) visit(name, place string) error {
	if p.reaches(place) {
		return nil
	}
	return notMounted(name, place)
}

func notMounted(name, place string) error {
	if in(place, path.Clean("/"+name)) {
		return host.ErrNotMounted
	}
	return fmt.Errorf("it leads to %s: %w", place, host.ErrNotMounted)
}

func (p *Parts) inside(name string) bool {
	if p.hidden != "" {
		return !in(p.hidden, name) && !in(name, p.hidden)
	}
	return slices.ContainsFunc(p.dirs, func(dir string) bool { return in(dir, name) })
}

func (p *Parts) reaches(name string) bool {
	if p.hidden != "" {
		return !in(p.hidden, name)
	}
	return slices.ContainsFunc(p.dirs, func(dir string) bool { return in(dir, name) || in(name, dir) })
}

func in(dir, name string) bool {
	rest, ok := strings.CutPrefix(name, dir)
	return ok && (rest == "" || rest[0] == '/') || dir == "/"
}

// Hide takes a directory out of a tree. What is in the directories above it is not known as
// a whole either: they are the container's.
func Hide(t *Tree, dir string) *Parts {
	p := &Parts{seen: &Tree{nodes: t.nodes}, hidden: dir}
	p.seen.visit = p.visit
	return p
}

// Remove is a tree without a file or directory.
func Remove(t *Tree, name string) *Tree {
	left := &Tree{nodes: map[string]*node{}}
	for p, n := range t.nodes {
		if !in(name, p) {
			left.nodes[p] = n
		}
	}
	return left
}

// Relocate is a tree with a file or directory somewhere else, and a link to it in its place.
func Relocate(t *Tree, name, to string) *Tree {
	moved := &Tree{nodes: map[string]*node{}}
	moved.Mkdir(path.Dir(to))
	for p, n := range t.nodes {
		if in(name, p) {
			copied := *n
			copied.info.Path = to + strings.TrimPrefix(p, name)
			moved.nodes[copied.info.Path] = &copied
			continue
		}
		moved.nodes[p] = n
	}
	moved.nodes[name] = &node{info: host.Info{Path: name, Type: fs.ModeSymlink, Mode: 0o777, Link: to}}
	return moved
}
