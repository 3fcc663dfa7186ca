package kubelet

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/packages"
)

// Version is a minor version of Kubernetes; the zero value is not known.
type Version struct {
	Major, Minor int
	// Where is the file whose name or content says so.
	Where string
}

// String is "1.34".
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// AtLeast is whether the version is known and not older.
func (v Version) AtLeast(major, minor int) bool {
	return v.Where != "" && (v.Major > major || v.Major == major && v.Minor >= minor)
}

// version looks for a version in the path of the program, in the path that it leads
// to, and in the package that brought it.
// That it is not known is no error; that something which may tell it could not be read is.
func version(h *host.Host, program string) (Version, error) {
	if !path.IsAbs(program) {
		return Version{}, nil
	}
	if v, ok := versionIn(program); ok {
		v.Where = program
		return v, nil
	}
	info, err := h.Stat(program)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Version{}, nil
	case err != nil:
		return Version{}, err
	}
	if v, ok := versionIn(info.Path); ok {
		v.Where = info.Path
		return v, nil
	}
	if info.Path != "/usr/bin/kubelet" && info.Path != "/bin/kubelet" {
		return Version{}, nil // not from a package
	}
	text, where, err := packages.Version(h, "kubelet")
	switch {
	case err != nil && packages.None(err):
		return Version{}, nil
	case err != nil:
		return Version{}, err
	}
	v, ok := parseVersion(text[strings.IndexByte(text, ':')+1:]) // without the epoch
	if !ok {
		return Version{}, nil
	}
	v.Where = where
	return v, nil
}

// versionIn finds a version in one of the names of a path: kubelet-1.29.2, v1.34.1.
// Two that differ say nothing.
func versionIn(p string) (found Version, ok bool) {
	for name := range strings.SplitSeq(p, "/") {
		name = strings.TrimPrefix(name, "kubelet-")
		name = strings.TrimPrefix(name, "kubernetes-")
		name = strings.TrimPrefix(name, "v")
		v, is := parseVersion(name)
		if !is {
			continue
		}
		if ok && v != found {
			return Version{}, false
		}
		found, ok = v, true
	}
	return found, ok
}

// parseVersion reads what begins with "1.29." or is "1.29".
func parseVersion(s string) (Version, bool) {
	major, rest, ok := strings.Cut(s, ".")
	if !ok || major != "1" { // of Kubernetes; of anything else there are many
		return Version{}, false
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	minor, err := strconv.Atoi(rest[:end])
	if err != nil || minor > 999 || (end < len(rest) && !strings.ContainsAny(rest[end:end+1], ".-+~")) {
		return Version{}, false
	}
	return Version{Major: 1, Minor: minor}, true
}
