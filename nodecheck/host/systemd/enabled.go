package systemd

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Enabled is whether another unit pulls a unit in: a link in a .wants, .requires
// or .upholds directory of the search path, the vendor's and the generators' ones
// included. where is the link, or the unit's file where there is none. A masked
// unit is off. Where the unit does not exist, the error wraps fs.ErrNotExist.
func Enabled(h *host.Host, name string) (on bool, where string, err error) {
	x, err := host.Memo(h, newIndex)
	if err != nil {
		return false, "", err
	}
	id, e, err := x.find(name)
	if err != nil {
		return false, "", &host.Error{Path: name, Err: err}
	}
	u, err := Read(h, name)
	if err != nil || u.Masked {
		return false, e.path, err
	}
	names := append(x.names(id, e), name)
	for _, folder := range x.pulling() {
		for _, n := range names {
			p, pulls, err := pulls(h, x.folders[folder], n)
			if err != nil || pulls {
				return pulls, p, err
			}
		}
	}
	return false, e.path, nil
}

// pulling are the names of the directories whose links pull units in, in order; those
// of targets that a node does not come up with are behind the others.
func (x *index) pulling() (list []string) {
	for folder := range x.folders {
		if path.Ext(folder) != ".d" {
			list = append(list, folder)
		}
	}
	slices.SortFunc(list, func(a, b string) int {
		if x, y := Apart(a), Apart(b); x != y {
			if x {
				return 1
			}
			return -1
		}
		return strings.Compare(a, b)
	})
	return list
}

// Apart is whether a directory such as "rescue.target.wants" belongs to a target that
// a node reaches only if somebody asks for it, or when it goes down.
func Apart(folder string) bool {
	return slices.Contains([]string{
		"rescue.target", "emergency.target", "shutdown.target", "halt.target", "poweroff.target", "reboot.target", "kexec.target", "final.target",
	}, strings.TrimSuffix(folder, path.Ext(folder)))
}

// pulls looks for a link of a name in directories of one name. The first one
// counts; one to /dev/null takes the others away.
func pulls(h *host.Host, dirs []string, name string) (where string, ok bool, err error) {
	for _, dir := range dirs {
		entries, err := h.Dir(dir)
		if errors.Is(err, host.ErrNotDirectory) || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return dir, false, err
		}
		i, found := slices.BinarySearchFunc(entries, name, func(e host.Entry, name string) int {
			return strings.Compare(e.Name, name)
		})
		if !found {
			continue
		}
		p := path.Join(dir, name)
		if entries[i].Type != fs.ModeSymlink {
			return p, false, nil
		}
		info, err := h.Lstat(p)
		return p, err == nil && path.Clean(info.Link) != "/dev/null", err
	}
	return "", false, nil
}
