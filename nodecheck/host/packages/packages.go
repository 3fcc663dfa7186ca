// Package packages tells which version of a package a node has installed. It
// reads dpkg's database; that of rpm is not a text and is not read.
package packages

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

const (
	statusFile = "/var/lib/dpkg/status"
	statusDir  = "/var/lib/dpkg/status.d" // a file for each package, in small images
	maxStatus  = 16 << 20                 // ten times that of a full desktop
)

// The reasons why there is no version.
var (
	// ErrNoDatabase: the node has no database that can be read.
	ErrNoDatabase = errors.New("no dpkg database")
	// ErrNotInstalled: the database does not have the package as installed.
	ErrNotInstalled = errors.New("not installed")
)

// Version returns the version of a package as dpkg writes it, epoch and revision
// included, and where that stands. An error wraps ErrNoDatabase or ErrNotInstalled,
// or says why the database cannot be read.
func Version(h *host.Host, name string) (version, where string, err error) {
	single := path.Join(statusDir, name)
	f, err := h.File(single)
	switch {
	case err == nil:
		version, line, err := find(f.Data, name)
		if err != nil {
			return "", "", &host.Error{Path: single, Err: err}
		}
		return version, f.At(line), nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", "", err
	}
	p, err := host.Derive(h, statusFile, name, maxStatus, func(f *host.File) (found, error) {
		version, line, err := find(f.Data, name)
		if errors.Is(err, ErrNotInstalled) {
			return found{}, nil // this too holds until the database changes
		}
		return found{version, line}, err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", "", &host.Error{Path: statusFile, Err: ErrNoDatabase}
	case err != nil:
		return "", "", err
	case p.version == "":
		return "", "", &host.Error{Path: statusFile, Err: fmt.Errorf("%w: %s", ErrNotInstalled, name)}
	}
	return p.version, host.At(statusFile, p.line), nil
}

// None is whether an error of Version says that there is no version to be known, and not
// that it could not be read.
func None(err error) bool { return errors.Is(err, ErrNoDatabase) || errors.Is(err, ErrNotInstalled) }

// found is an installed package; no version if there is none.
type found struct {
	version string
	line    int
}

// find looks for the paragraph of a package that is installed. A package may have
// several, one for each architecture. The file has a thousand others, so they are
// not looked at line by line.
func find(data []byte, name string) (version string, line int, err error) {
	key := []byte("Package: " + name + "\n")
	for at := 0; ; {
		i := bytes.Index(data[at:], key)
		if i < 0 {
			return "", 0, fmt.Errorf("%w: %s", ErrNotInstalled, name)
		}
		begin := at + i
		at = begin + len(key)
		if begin > 0 && data[begin-1] != '\n' {
			continue
		}
		// The field may stand anywhere in its paragraph.
		if before := bytes.LastIndex(data[:begin], []byte("\n\n")); before >= 0 {
			begin = before + len("\n\n")
		} else {
			begin = 0
		}
		paragraph := data[begin:]
		if end := bytes.Index(data[at-1:], []byte("\n\n")); end >= 0 {
			paragraph = data[begin : at+end]
		}
		if version, n := installed(paragraph); version != "" {
			return version, bytes.Count(data[:begin], []byte("\n")) + n, nil
		}
	}
}

// installed returns the version of a paragraph, and its line there, if what it
// says is on the disk.
func installed(paragraph []byte) (version string, line int) {
	// The files of status.d have no Status: what they name is there.
	n, there := 0, true
	for text := range strings.SplitSeq(string(paragraph), "\n") {
		n++
		key, value, ok := strings.Cut(text, ":")
		if !ok || text[0] == ' ' || text[0] == '\t' {
			continue
		}
		value = strings.Trim(value, " \t\r")
		switch key {
		case "Status":
			there = onDisk(value)
		case "Version":
			version, line = value, n
		}
	}
	if !there {
		return "", 0
	}
	return version, line
}

// onDisk is whether the third word of a Status is a state in which the files of
// the package are there, configured or not.
func onDisk(status string) bool {
	words := strings.Fields(status)
	if len(words) != 3 {
		return false
	}
	switch words[2] {
	case "installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending":
		return true
	}
	return false
}
