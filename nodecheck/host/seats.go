//go:build linux

package host

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// nodeMounts is the table of mounts of the node, as its first process sees it.
const nodeMounts = "/proc/1/mountinfo"

// mostMounts bounds a table: a line for each mount of the node.
const mostMounts = 64 << 20

// part is how a part was when it was looked at first.
type part struct {
	own seat // what is mounted, without what is mounted over it
	// as is the node's path of it, links followed. It is empty where that cannot be told.
	as string
}

// tables are the mounts of this process below the root, by the node's names, and those of
// the node.
type tables struct {
	own, node []mount
	root      mount // that the parts are mounted on
	first     mount // the node's root; zero where the node's mounts are not known
}

func (r *Root) readTables() (t tables, err error) {
	id, err := mountOf(r.fd)
	if err != nil {
		return t, err
	}
	data, err := readOwn("/proc/self/mountinfo")
	if err != nil {
		return t, err
	}
	t.root = mount{id: id, at: "/"}
	for _, m := range readMounts(data) {
		if place, ok := r.inside(m.at); ok && m.id != id {
			m.at = place
			t.own = append(t.own, m)
		}
	}
	if data, _, err := r.ReadFile(nodeMounts, mostMounts); err == nil { // else nobody knows
		t.node = readMounts(data)
	}
	for _, m := range t.node {
		if m.at == "/" && !slices.ContainsFunc(t.node, func(other mount) bool { return other.id == m.parent && other.id != m.id }) {
			t.first = m
		}
	}
	return t, nil
}

// ofNode is what the node has at a path, if no link is on the way. It is not known where
// the node would mount something as soon as somebody looks.
func (t *tables) ofNode(name string) (seat, bool) {
	if t.first.id == "" {
		return seat{}, false
	}
	s, m := seated(t.node, t.first, name)
	return s, m.kind != "autofs"
}

// part is what is mounted at the name of a part.
func (t *tables) part(name string) (m mount, ok bool) {
	for _, m := range t.own {
		if m.parent == t.root.id && m.at == name {
			return m, true
		}
	}
	return mount{}, false
}

// findSeats compares the parts with the node's own mounts. A part that is not what the node
// has at its name is a link there, and may lead anywhere.
func (r *Root) findSeats(p *parts, t tables) {
	p.seats = make(map[string]part, len(p.dirs))
	var loose []string
	for _, dir := range p.dirs {
		m, _ := t.part(dir)
		found := part{own: seat{m.device, m.root}}
		here, _ := seated(t.own, t.root, dir)
		to, link := p.link(dir)
		switch there, known := t.ofNode(cmp.Or(to, dir)); {
		case known && there == here:
			found.as = cmp.Or(to, dir)
		case known && !link:
			loose = append(loose, dir)
		}
		p.seats[dir] = found
	}
	for _, dir := range loose {
		here, _ := seated(t.own, t.root, dir)
		if to, ok := r.leadsTo(p, t, dir, here); ok {
			p.links = append(p.links, rootLink{dir, to})
			p.seats[dir] = part{own: p.seats[dir].own, as: to}
			continue
		}
		p.loose = append(p.loose, dir)
	}
}

// leadsTo finds a directory in the other parts.
func (r *Root) leadsTo(p *parts, t tables, dir string, s seat) (string, bool) {
	for _, m := range t.own {
		if m.device != s.device || !in(m.root, s.root) {
			continue
		}
		to := path.Join(m.at, strings.TrimPrefix(s.root, strings.TrimSuffix(m.root, "/")))
		if there, known := t.ofNode(to); !in(dir, to) && p.inside(to) && known && there == s && r.same(dir, to) {
			return to, true
		}
	}
	return "", false
}

// Replaced is an error where a part is not the node's directory of that name any more: it
// was renamed or deleted, or a file system was taken off it. What was mounted for this
// process stays as it was. It costs a reading of all mounts.
func (r *Root) Replaced() error {
	if r.parts == nil {
		return nil
	}
	var err error
	const tries = 3
	for range tries { // the two tables are not read at one moment
		var t tables
		if t, err = r.readTables(); err != nil {
			return fmt.Errorf("looking for the parts of the node: %w", err)
		}
		if err = r.parts.replaced(t); err == nil {
			return nil
		}
	}
	return err
}

var errReplaced = errors.New("it is another directory on the node than the one that is mounted here; it is seen when the agent starts again")

func (p *parts) replaced(t tables) error {
	for _, dir := range p.dirs {
		was := p.seats[dir]
		m, ok := t.part(dir)
		if !ok || was.own != (seat{m.device, m.root}) {
			return &Error{Path: dir, Err: errReplaced}
		}
		if was.as == "" {
			continue
		}
		here, _ := seated(t.own, t.root, dir)
		if there, known := t.ofNode(was.as); known && there != here {
			return &Error{Path: dir, Err: errReplaced}
		}
	}
	return nil
}

// openMounts opens the node's table to be told of changes, or returns -1.
func (r *Root) openMounts() int {
	if r.proc < 0 {
		return -1
	}
	fd, err := unix.Openat(r.proc, strings.TrimPrefix(nodeMounts, "/proc/"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	return fd
}

// Remounted is whether the node has mounted anything or let go of it since the last call,
// by whatever name. It is one call of the kernel.
func (r *Root) Remounted() bool {
	if r.parts == nil || r.parts.mounts < 0 {
		return false
	}
	ask := []unix.PollFd{{Fd: int32(r.parts.mounts), Events: unix.POLLPRI}}
	_, err := unix.Poll(ask, 0)
	return err == nil && ask[0].Revents&(unix.POLLPRI|unix.POLLERR) != 0
}
