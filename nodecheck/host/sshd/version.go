package sshd

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/packages"
)

// Version is a release of OpenSSH; zero where it is not known.
type Version struct{ Major, Minor int }

// Known is whether it is known at all.
func (v Version) Known() bool { return v != Version{} }

// Before is whether the release is known and older than another.
func (v Version) Before(major, minor int) bool {
	return v.Known() && (v.Major < major || v.Major == major && v.Minor < minor)
}

// String names the release: "OpenSSH 9.2".
func (v Version) String() string {
	if !v.Known() {
		return "OpenSSH of an unknown version"
	}
	return fmt.Sprintf("OpenSSH %d.%d", v.Major, v.Minor)
}

// maxProgram bounds the server's own file: it has 1 to 2 MB.
const maxProgram = 16 << 20

// version asks dpkg, else the program itself: the databases of other package
// managers are not texts. That it cannot be told is no error, for most of what is
// written means the same in every version.
func version(h *host.Host, program string) (v Version, where string, err error) {
	text, where, err := packages.Version(h, "openssh-server")
	switch {
	case err == nil:
		v, _ := parseVersion(text)
		return v, where, nil
	case !packages.None(err):
		return Version{}, "", err
	}
	v, err = host.Derive(h, program, "", maxProgram, func(f *host.File) (Version, error) { return embedded(f.Data), nil })
	if errors.Is(err, fs.ErrNotExist) {
		return Version{}, program, nil
	}
	return v, program, err
}

// embedded finds the version that the program has in itself: "OpenSSH_9.2p1". The
// versions of others that it knows the faults of have no "p".
func embedded(program []byte) Version {
	mark := []byte("OpenSSH_")
	for {
		i := bytes.Index(program, mark)
		if i < 0 {
			return Version{}
		}
		program = program[i+len(mark):]
		if v, portable := parseVersion(string(program[:min(len(program), 16)])); portable {
			return v
		}
	}
}

// parseVersion reads "1:9.2p1-2+deb12u3" and "9.2p1".
func parseVersion(text string) (v Version, portable bool) {
	if _, after, ok := strings.Cut(text, ":"); ok {
		text = after
	}
	major, rest, ok := strings.Cut(text, ".")
	if !ok {
		return Version{}, false
	}
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	minor := rest[:digits]
	var err1, err2 error
	v.Major, err1 = strconv.Atoi(major)
	v.Minor, err2 = strconv.Atoi(minor)
	if err1 != nil || err2 != nil || v.Major <= 0 || v.Major > 999 || v.Minor > 999 {
		return Version{}, false
	}
	rest = rest[digits:]
	return v, len(rest) > 1 && rest[0] == 'p' && rest[1] >= '0' && rest[1] <= '9'
}
