//go:build linux

package host

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// parts are the directories of a node that are mounted one by one below a directory which
// is not the node's: that of a container. What is not in one of them is not known: neither
// that it exists nor that it does not.
//
// Which ones there are is asked of the kernel once. Nothing can be mounted on or taken off
// the container's own root later; mounts further down belong to the part that they are in.
type parts struct {
	dirs []string // as the node names them
	// links are those parts that are links on the node, as /lib is to /usr/lib. Mounting one
	// follows the link, so that a part shows no link, but one directory twice.
	links []rootLink
	// loose are parts that are links to somewhere outside of all parts: what is beside them
	// is not what is beside their names.
	loose []string
	seats map[string]part
	// mounts is the node's table of mounts, or -1.
	mounts int
}

// rootLink is a link and the directory that it leads to.
type rootLink struct{ name, to string }

// OpenParts opens a directory below which single directories of a node are mounted, each at
// the node's name for it. Everything outside of them is ErrNotMounted.
func OpenParts(dir string) (*Root, error) {
	r, err := Open(dir)
	if err != nil {
		return nil, err
	}
	p, err := r.findParts()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("looking for the parts of the node below %s: %w", dir, err), r.Close())
	}
	r.parts = p
	return r, nil
}

// Parts returns the directories of the node that are mounted, in order; nil where the root
// is a whole one.
func (r *Root) Parts() []string {
	if r.parts == nil {
		return nil
	}
	return slices.Clone(r.parts.dirs)
}

func (r *Root) findParts() (*parts, error) {
	t, err := r.readTables()
	if err != nil {
		return nil, err
	}
	p := &parts{mounts: -1}
	for _, m := range t.own {
		if m.parent == t.root.id && m.at != "/" {
			p.dirs = append(p.dirs, m.at)
		}
	}
	if len(p.dirs) == 0 {
		return nil, errors.New("nothing is mounted there")
	}
	slices.Sort(p.dirs)
	p.dirs = slices.Compact(p.dirs)
	r.findLinks(p)
	r.findSeats(p, t)
	p.mounts = r.openMounts()
	return p, nil
}

// twins are the links that a node has outside of the directories which are usually
// mounted, and where they lead to: file-hierarchy(7), hier(7).
var twins = []struct {
	link string
	to   []string
}{
	{"/bin", []string{"/usr/bin"}},
	{"/lib", []string{"/usr/lib"}},
	{"/lib32", []string{"/usr/lib32", "/usr/lib"}},
	{"/lib64", []string{"/usr/lib64", "/usr/lib"}},
	{"/sbin", []string{"/usr/sbin", "/usr/bin"}},
}

func (r *Root) findLinks(p *parts) {
	for _, t := range twins {
		if !slices.Contains(p.dirs, t.link) {
			continue
		}
		for _, to := range t.to {
			if p.inside(to) && r.same(t.link, to) {
				p.links = append(p.links, rootLink{t.link, to})
				break
			}
		}
	}
	// Not every node has a /lib64, so that it is not mounted. Where /lib has gone to /usr, it
	// has too.
	if _, merged := p.link("/lib"); merged && !p.reaches("/lib64") {
		to := "/usr/lib"
		if _, err := r.Stat("/usr/lib64"); err == nil {
			to = "/usr/lib64"
		}
		p.links = append(p.links, rootLink{"/lib64", to})
	}
}

// same is whether two paths are one directory.
func (r *Root) same(a, b string) bool {
	x, _, err := r.Identify(a)
	if err != nil {
		return false
	}
	y, info, err := r.Identify(b)
	return err == nil && info.Type == fs.ModeDir && x.Device == y.Device && x.Inode == y.Inode
}

// inside is whether a path is in a directory of the node.
func (p *parts) inside(name string) bool {
	return slices.ContainsFunc(p.dirs, func(dir string) bool { return in(dir, name) })
}

// reaches is whether a path is in a directory of the node or leads to one.
func (p *parts) reaches(name string) bool {
	return slices.ContainsFunc(p.dirs, func(dir string) bool { return in(dir, name) || in(name, dir) })
}

func in(dir, name string) bool {
	rest, ok := strings.CutPrefix(name, dir)
	return ok && (rest == "" || rest[0] == '/') || dir == "/"
}

// link is where a part leads to that is a link on the node.
func (p *parts) link(name string) (to string, ok bool) {
	for _, l := range p.links {
		if l.name == name {
			return l.to, true
		}
	}
	return "", false
}

// follow replaces a link that is at the beginning of a path; that is the path itself only
// if its last element is to be followed.
func (p *parts) follow(name string, last bool) string {
	for _, l := range p.links {
		if rest, ok := strings.CutPrefix(name, l.name); ok && (rest == "" && last || rest != "" && rest[0] == '/') {
			return l.to + rest
		}
	}
	return name
}

// locateInParts is locate for a root in parts. A path without links is in a part or is not
// as it is written; links are followed here and not by the kernel, which would see the
// container's directories as the node's.
func (r *Root) locateInParts(name string, flags int) (fd int, at string, err error) {
	if !strings.Contains(name, "..") {
		asked := clean(name)
		directory := strings.HasSuffix(name, "/") || strings.HasSuffix(name, "/.") // it must be one
		at = r.parts.follow(asked, directory || flags&unix.O_NOFOLLOW == 0)
		inside := r.parts.inside(at)
		if !inside && !r.parts.reaches(at) {
			return -1, "", notMounted(name, at)
		}
		if inside && r.open2.Load() {
			place := name
			switch {
			case at == asked:
			case directory:
				place = at + "/"
			default:
				place = at
			}
			fd, err = r.openat2(place, flags, unix.RESOLVE_IN_ROOT|unix.RESOLVE_NO_SYMLINKS)
			if !errors.Is(err, unix.ELOOP) && r.open2.Load() {
				return fd, at, err
			}
		}
	}
	return r.walked(name, flags)
}

// notMounted says where the path leads to, if that is not what it says itself.
func notMounted(name, place string) error {
	if in(place, clean(name)) {
		return ErrNotMounted
	}
	return fmt.Errorf("it leads to %s: %w", place, ErrNotMounted)
}

// linkOfRoot describes a link that a part stands for.
func (r *Root) linkOfRoot(name string) (Info, bool) {
	if r.parts == nil || strings.HasSuffix(name, "/") || strings.HasSuffix(name, "/.") {
		return Info{}, false
	}
	to, ok := r.parts.link(clean(name))
	return Info{Path: clean(name), Type: fs.ModeSymlink, Mode: 0o777, Size: int64(len(to)), Link: to}, ok
}

// mountOf is the kernel's number of the mount that a descriptor is on.
func mountOf(fd int) (string, error) {
	data, err := readOwn("/proc/self/fdinfo/" + strconv.Itoa(fd))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(data)) {
		if id, ok := strings.CutPrefix(line, "mnt_id:"); ok {
			return strings.TrimSpace(id), nil
		}
	}
	return "", errors.New("the kernel does not tell mounts apart (before 3.15)")
}

// readOwn reads a file of this process's own /proc.
func readOwn(name string) ([]byte, error) {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer closeFD(fd)
	return readFrom(fd, 0, mostMounts)
}
