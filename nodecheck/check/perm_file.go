package check

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// access judges the mode and the owner of one file. A mode is judged by its bits:
// 0577 is the smaller number and the wider mode than 0644. A link is judged by what
// it leads to.
func (j *judge) access(h *host.Host, name string, widest uint32) {
	if info, ok := j.file(h, name); ok {
		j.mode(name, info, widest)
		j.owner(name, info)
	}
}

// file is what name leads to. The mode of a directory or a FIFO in its place says
// nothing about the file that should be there.
func (j *judge) file(h *host.Host, name string) (info host.Info, ok bool) {
	info, err := h.Stat(name)
	if err == nil && info.Type != 0 {
		err = &host.Error{Path: name, Err: host.ErrNotRegular}
	}
	j.unknown(err)
	return info, err == nil
}

// mode judges that info has no bit beyond those of widest.
func (j *judge) mode(name string, info host.Info, widest uint32) {
	f := Finding{Where: name, Expected: fmt.Sprintf("mode %04o or stricter", widest), Actual: fmt.Sprintf("mode %04o", info.Mode)}
	if info.Path != name {
		f.Detail = "the file is " + info.Path
	}
	if info.ACL {
		f.Detail = join(f.Detail, "an access control list names others; its mask is the group part of the mode")
	}
	j.expect(info.Mode&^widest == 0, f)
}

// owner judges that root owns the file, by numbers: a node's names are not ours.
func (j *judge) owner(name string, info host.Info) {
	j.expect(info.UID == 0 && info.GID == 0, Finding{
		Where: name, Expected: "owner 0:0", Actual: fmt.Sprintf("owner %d:%d", info.UID, info.GID),
	})
}

// join puts two details into one; either may be empty.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// missing is whether err says that a file does not exist.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// anyOf returns the first of names that exists.
func anyOf(h *host.Host, names []string) (string, error) {
	for _, name := range names {
		if there, err := h.Exists(name); err != nil || there {
			return name, err
		}
	}
	return "", nil
}
