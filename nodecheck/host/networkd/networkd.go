// Package networkd reads what systemd-networkd does on an interface: it has files of
// its own, and takes over from the kernel what the kernel's parameters would decide.
package networkd

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/systemd"
)

// Link is how systemd-networkd manages an interface.
type Link struct {
	// File is the .network file that applies to it.
	File string
	// AcceptRA is IPv6AcceptRA= of the file and its drop-ins: whether systemd-networkd
	// takes router advertisements, which it then does in place of the kernel.
	AcceptRA Setting
}

// Setting is a switch, and where it is set.
type Setting struct {
	Set   bool
	On    bool
	Text  string // the line
	Where string
}

// dirs are those of systemd.network(5).
var dirs = []string{
	"/etc/systemd/network", "/run/systemd/network", "/usr/local/lib/systemd/network", "/usr/lib/systemd/network", "/lib/systemd/network",
}

// Read tells how systemd-networkd manages an interface; false where it does not. It
// goes by the state that a running systemd-networkd writes down.
func Read(h *host.Host, iface string) (Link, bool, error) {
	index, err := h.File("/sys/class/net/" + iface + "/ifindex")
	if err != nil {
		return none(err)
	}
	state, err := h.File("/run/systemd/netif/links/" + path.Base(strings.TrimSpace(string(index.Data))))
	if err != nil {
		return none(err)
	}
	var l Link
	for line := range state.Lines() {
		if file, ok := strings.CutPrefix(line.Text, "NETWORK_FILE="); ok {
			l.File = file
		}
	}
	if l.File == "" {
		return Link{}, false, nil
	}
	f, err := h.File(l.File)
	if err == nil {
		err = l.read(f)
	}
	if err != nil {
		return none(err)
	}
	var places []string
	for _, dir := range dirs {
		places = append(places, path.Join(dir, path.Base(l.File)+".d"))
	}
	fragments, err := h.Fragments(places, ".conf")
	if err != nil {
		return Link{}, false, err
	}
	for _, f := range fragments {
		switch {
		case errors.Is(f.Err, fs.ErrNotExist) || f.Name[0] == '.':
			continue
		case f.Err != nil:
			return Link{}, false, f.Err
		}
		if err := l.read(f.File); err != nil {
			return Link{}, false, err
		}
	}
	return l, true, nil
}

func none(err error) (Link, bool, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return Link{}, false, nil
	}
	return Link{}, false, err
}

// read takes the setting of a file; the last one counts, and an empty one takes it
// back.
func (l *Link) read(f *host.File) error {
	settings, err := systemd.Parse(f)
	if err != nil {
		return err
	}
	for _, s := range settings {
		if s.Section != "Network" || (s.Key != "IPv6AcceptRA" && s.Key != "IPv6AcceptRouterAdvertisements") {
			continue
		}
		if s.Value == "" {
			l.AcceptRA = Setting{}
			continue
		}
		if on, ok := boolean(s.Value); ok {
			l.AcceptRA = Setting{Set: true, On: on, Text: s.Key + "=" + s.Value, Where: s.Where}
		}
	}
	return nil
}

// boolean is parse_boolean of systemd; what it does not know is ignored.
func boolean(value string) (on, ok bool) {
	switch strings.ToLower(value) {
	case "1", "yes", "y", "true", "t", "on":
		return true, true
	case "0", "no", "n", "false", "f", "off":
		return false, true
	}
	return false, false
}
