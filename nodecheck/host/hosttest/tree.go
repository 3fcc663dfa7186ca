// Package hosttest is a node's file system in memory, for tests. It is written
// down as a txtar archive: the name of a file is its path, and words after it say
// what a plain file would not have:
//
//	-- etc/crontab --                        root's, mode 0644
//	-- etc/shadow mode=0640 owner=0:42 --
//	-- etc/issue -> ../usr/lib/issue --      a symbolic link
//	-- etc/ssh/ mode=0700 --                 a directory; those of files are there by themselves
//	-- etc/motd type=fifo --                 or device, socket
//	-- etc/secret unreadable --              permission denied
//	-- etc/huge size=1073741824 --           a size without content
//	-- etc/busy changing --                  written to whenever it is read
//	-- etc/list acl --                       an access control list names others
//	-- proc/1/cmdline nul --                 line breaks stand for NUL bytes
//	-- var/run/reboot-required mtime=2026-11-01T10:00:00Z --
package hosttest

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Tree implements host.FS in memory.
type Tree struct {
	nodes map[string]*node
	// visit is told of each place on the way of a path, and may end it.
	visit func(name, place string) error
}

type node struct {
	info       host.Info
	data       []byte
	unreadable bool
	changing   bool
}

// Parse makes a tree of an archive.
func Parse(archive *txtar.Archive) (*Tree, error) {
	t := &Tree{nodes: map[string]*node{}}
	t.Mkdir("/")
	for _, f := range archive.Files {
		if err := t.add(f); err != nil {
			return nil, fmt.Errorf("%q: %w", f.Name, err)
		}
	}
	return t, nil
}

// Text makes a tree of an archive's text.
func Text(archive string) (*Tree, error) { return Parse(txtar.Parse([]byte(archive))) }

// Mkdir makes a directory with those above it.
func (t *Tree) Mkdir(dir string) {
	for dir = path.Clean("/" + dir); ; dir = path.Dir(dir) {
		if t.nodes[dir] == nil {
			t.nodes[dir] = &node{info: host.Info{Path: dir, Type: fs.ModeDir, Mode: 0o755}}
		}
		if dir == "/" {
			return
		}
	}
}

// Write puts a plain file at a path, or new content into the one that is there.
func (t *Tree) Write(name, content string) {
	name = path.Clean("/" + name)
	n := t.nodes[name]
	if n == nil {
		t.Mkdir(path.Dir(name))
		n = &node{info: host.Info{Path: name, Mode: 0o644}}
		t.nodes[name] = n
	}
	n.data, n.info.Size = []byte(content), int64(len(content))
}

// Remove takes a path away, with everything below it.
func (t *Tree) Remove(name string) {
	name = path.Clean("/" + name)
	for p := range t.nodes {
		if p == name || strings.HasPrefix(p, name+"/") {
			delete(t.nodes, p)
		}
	}
}

func (t *Tree) add(f txtar.File) error {
	name, target, isLink := strings.Cut(f.Name, " -> ")
	words := strings.Fields(name)
	if len(words) == 0 {
		return fmt.Errorf("no path")
	}
	p := path.Clean("/" + words[0])
	if old := t.nodes[p]; old != nil && old.info.Type != fs.ModeDir {
		return fmt.Errorf("the path is there twice")
	}
	t.Mkdir(path.Dir(p))
	n := &node{info: host.Info{Path: p, Mode: 0o644, Size: int64(len(f.Data))}, data: f.Data}
	switch {
	case isLink:
		n.info.Type, n.info.Mode, n.info.Link = fs.ModeSymlink, 0o777, strings.TrimSpace(target)
	case strings.HasSuffix(words[0], "/"):
		n.info.Type, n.info.Mode, n.info.Size = fs.ModeDir, 0o755, 0
	}
	for _, word := range words[1:] {
		if err := n.set(word); err != nil {
			return err
		}
	}
	// As the kernel has it: no sizes, and no times that mean anything.
	if (strings.HasPrefix(p, "/proc/") || strings.HasPrefix(p, "/sys/")) && n.info.Type == 0 {
		n.info.Size = 0
	}
	t.nodes[p] = n
	return nil
}

func (n *node) set(word string) (err error) {
	key, value, _ := strings.Cut(word, "=")
	switch key {
	case "mode":
		var mode uint64
		mode, err = strconv.ParseUint(value, 8, 12)
		n.info.Mode = uint32(mode)
	case "owner":
		_, err = fmt.Sscanf(value, "%d:%d", &n.info.UID, &n.info.GID)
	case "type":
		t, ok := map[string]fs.FileMode{"fifo": fs.ModeNamedPipe, "device": fs.ModeDevice | fs.ModeCharDevice, "socket": fs.ModeSocket}[value]
		if !ok {
			return fmt.Errorf("unknown type %q", value)
		}
		n.info.Type = t
	case "size":
		n.info.Size, err = strconv.ParseInt(value, 10, 64)
	case "mtime":
		n.info.ModTime, err = time.Parse(time.RFC3339, value)
	case "unreadable":
		n.unreadable = true
	case "changing":
		n.changing = true
	case "acl":
		n.info.ACL = true
	case "nul":
		n.data = []byte(strings.ReplaceAll(string(n.data), "\n", "\x00"))
	default:
		return fmt.Errorf("unknown word %q", word)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", word, err)
	}
	return nil
}

// Stat implements host.FS.
func (t *Tree) Stat(name string) (host.Info, error) {
	n, err := t.resolve(name, true)
	if err != nil {
		return host.Info{}, err
	}
	info := n.info
	info.Link = ""
	return info, nil
}

// Lstat implements host.FS.
func (t *Tree) Lstat(name string) (host.Info, error) {
	n, err := t.resolve(name, false)
	if err != nil {
		return host.Info{}, err
	}
	return n.info, nil
}

// ReadFile implements host.FS.
func (t *Tree) ReadFile(name string, limit int64) ([]byte, host.Info, error) {
	n, err := t.resolve(name, true)
	if err != nil {
		return nil, host.Info{}, err
	}
	switch {
	case n.info.Type != 0:
		err = host.ErrNotRegular
	case n.unreadable:
		err = fs.ErrPermission
	case n.changing:
		err = host.ErrChanging
	case n.info.Size > limit || int64(len(n.data)) > limit:
		err = host.ErrTooLarge
	}
	if err != nil {
		return nil, n.info, &host.Error{Path: name, Err: err}
	}
	return n.data, n.info, nil
}

// ReadDir implements host.FS.
func (t *Tree) ReadDir(name string) ([]host.Entry, error) {
	n, err := t.resolve(name, true)
	switch {
	case err != nil:
		return nil, err
	case n.info.Type != fs.ModeDir:
		return nil, &host.Error{Path: name, Err: host.ErrNotDirectory}
	case n.unreadable:
		return nil, &host.Error{Path: name, Err: fs.ErrPermission}
	}
	var list []host.Entry
	for p, child := range t.nodes {
		if p != "/" && path.Dir(p) == n.info.Path {
			list = append(list, host.Entry{Name: path.Base(p), Type: child.info.Type})
		}
	}
	slices.SortFunc(list, func(a, b host.Entry) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// resolve follows links as the kernel does in a root.
func (t *Tree) resolve(name string, last bool) (*node, error) {
	at := t.nodes["/"]
	rest := elements(name)
	for links := 0; len(rest) > 0; {
		element := rest[0]
		rest = rest[1:]
		switch {
		case at.info.Type != fs.ModeDir:
			return nil, &host.Error{Path: name, Err: fs.ErrNotExist}
		case at.unreadable:
			return nil, &host.Error{Path: name, Err: fs.ErrPermission}
		}
		place := path.Join(at.info.Path, element) // "." and ".." too, at is where no link leads
		if t.visit != nil {
			if err := t.visit(name, place); err != nil {
				return nil, &host.Error{Path: name, Err: err}
			}
		}
		n := t.nodes[place]
		switch {
		case n == nil:
			return nil, &host.Error{Path: name, Err: fs.ErrNotExist}
		case n.info.Type == fs.ModeSymlink && (last || len(rest) > 0):
			if links++; links > 40 {
				return nil, &host.Error{Path: name, Err: host.ErrLoop}
			}
			if path.IsAbs(n.info.Link) {
				at = t.nodes["/"]
			}
			rest = append(elements(n.info.Link), rest...)
		default:
			at = n
		}
	}
	return at, nil
}

// elements are the names of a path. A slash at the end stands for a ".": what is
// before it must be a directory.
func elements(name string) []string {
	list := slices.DeleteFunc(strings.Split(name, "/"), func(e string) bool { return e == "" })
	if strings.HasSuffix(name, "/") {
		list = append(list, ".")
	}
	return list
}

// Host makes a host of an archive's text; a test that cannot have it fails.
func Host(tb testing.TB, archive string) *host.Host {
	tb.Helper()
	tree, err := Text(archive)
	if err != nil {
		tb.Fatal(err)
	}
	return host.New(tree)
}
