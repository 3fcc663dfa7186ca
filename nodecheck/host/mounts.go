//go:build linux

package host

import (
	"path"
	"strconv"
	"strings"
)

// mount is a line of proc_pid_mountinfo(5).
type mount struct {
	id, parent, device string
	root               string // of the file system, what is mounted of it
	at                 string
	kind               string
}

// readMounts reads a table of mounts. Lines that are none are left out.
func readMounts(data []byte) (table []mount) {
	const shortest, optional = 9, 6
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) < shortest {
			continue
		}
		m := mount{id: f[0], parent: f[1], device: f[2], root: unescape(f[3]), at: unescape(f[4])}
		for i, field := range f[optional:] { // of which any number may come before a "-"
			if field == "-" && optional+i+1 < len(f) {
				m.kind = f[optional+i+1]
				break
			}
		}
		table = append(table, m)
	}
	return table
}

// seat tells a directory from every other by what has it: a file system, and a path in that.
type seat struct{ device, root string }

// seated is where a path ends that begins in a mount, and the mount that it ends in, as the
// kernel goes if there is no link on the way. Of mounts on one way the first counts: it may
// hide others.
func seated(table []mount, from mount, name string) (seat, mount) {
	for {
		next, found := mount{}, false
		for _, m := range table {
			if m.parent == from.id && m.id != from.id && in(from.at, m.at) && in(m.at, name) && (!found || len(m.at) < len(next.at)) {
				next, found = m, true
			}
		}
		if !found {
			return seat{from.device, path.Join(from.root, strings.TrimPrefix(name, strings.TrimSuffix(from.at, "/")))}, from
		}
		from = next
	}
}

// unescape reads a path of a table of mounts: blanks and backslashes are octal.
func unescape(s string) string {
	const digits = 3
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+digits < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+1+digits], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += digits
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return path.Clean(b.String())
}
