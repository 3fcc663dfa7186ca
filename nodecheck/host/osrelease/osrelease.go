// Package osrelease reads what a node's system calls itself.
package osrelease

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Release is the part of os-release(5) that is of use here; empty where the file
// does not say.
type Release struct {
	Path                                       string
	ID, Name, VersionID, PrettyName, VariantID string
}

// Read reads /etc/os-release, or /usr/lib/os-release where there is none. Where
// there is neither, the error wraps fs.ErrNotExist.
func Read(h *host.Host) (*Release, error) { return host.Memo(h, read) }

func read(h *host.Host) (*Release, error) {
	f, err := h.File("/etc/os-release")
	if errors.Is(err, fs.ErrNotExist) {
		f, err = h.File("/usr/lib/os-release")
	}
	if err != nil {
		return nil, err
	}
	if err := f.Text(); err != nil {
		return nil, err
	}
	r := &Release{Path: f.Path}
	fields := map[string]*string{
		"ID": &r.ID, "NAME": &r.Name, "VERSION_ID": &r.VersionID, "PRETTY_NAME": &r.PrettyName, "VARIANT_ID": &r.VariantID,
	}
	for line := range f.Lines() {
		key, value, ok := strings.Cut(strings.TrimSpace(line.Text), "=")
		if field := fields[key]; ok && field != nil {
			*field = unquote(value)
		}
	}
	return r, nil
}

// unquote takes off quotes as a shell does, of the whole value or of parts of it.
func unquote(value string) string {
	var b strings.Builder
	var quote byte
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == '\\' && quote != '\'' && i+1 < len(value):
			i++
			b.WriteByte(value[i])
		case c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
