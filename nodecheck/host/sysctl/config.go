// Package sysctl tells the kernel's parameters: the values that the files of a node
// set at boot, and those that are in force.
//
// What is in force below /proc/sys/net belongs to the network namespace of whoever
// reads it. Running refuses to take the values of a pod for those of its node.
package sysctl

import (
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Dirs are the directories of sysctl.d(5), the first of a file's name masks the others.
var Dirs = []string{"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"}

const sysctlConf = "/etc/sysctl.conf"

// Assignment is one line of a file that sets a parameter.
type Assignment struct {
	// Key is the path below /proc/sys: "net/ipv4/conf/all/send_redirects". It may
	// have the wildcards of glob(7).
	Key   string
	Value string
	Path  string
	Line  int
}

// Where is the file and the line.
func (a Assignment) Where() string { return host.At(a.Path, a.Line) }

// Config is what sets parameters at boot, in layers: a later one overrides.
type Config struct {
	layers []layer
	// unapplied are the lines of /etc/sysctl.conf where nothing reads it.
	unapplied []Assignment
	// masked is the unit file that keeps systemd-sysctl from running.
	masked string
}

// Masked is the unit file that keeps systemd-sysctl from running; empty where it runs.
func (c *Config) Masked() string { return c.masked }

// Read reads what sets parameters at boot: the kernel's command line, the files of
// sysctl.d(5) as systemd-sysctl takes them, then those of ufw. Where a node does
// not run systemd, it is procps, which reads /etc/sysctl.conf last. A file that
// cannot be read is an error of the parameters that it may set, not of Read.
func Read(h *host.Host) (*Config, error) { return host.Memo(h, read) }

func read(h *host.Host) (*Config, error) {
	c := &Config{layers: []layer{commandLine(h)}}
	systemd, err := anyExists(h, systemdPaths)
	if err != nil {
		return nil, err
	}
	if systemd {
		if c.masked, err = unit(h); err != nil {
			return nil, err
		}
	}
	if c.masked == "" {
		files, err := files(h, systemd)
		if err != nil {
			return nil, err
		}
		l := newLayer(!systemd)
		if systemd {
			l.literal = sync.OnceValues(func() (bool, error) { return before245(h) })
		}
		applied := false
		for _, f := range files {
			l.add(f.File, f.Err)
			applied = applied || (f.Err == nil && f.File.Info.Path == sysctlConf)
		}
		c.sysctlConf(h, &l, systemd, applied)
		c.layers = append(c.layers, l)
	}
	if l, ok := ufw(h); ok {
		c.layers = append(c.layers, l)
	}
	return c, nil
}

// sysctlConf reads /etc/sysctl.conf where no file of sysctl.d is a link to it: procps
// applies it, systemd does not.
func (c *Config) sysctlConf(h *host.Host, l *layer, systemd, applied bool) {
	if systemd && applied {
		return
	}
	f, err := h.File(sysctlConf)
	switch {
	case !systemd:
		l.add(f, err)
	case err == nil && f.Text() == nil: // else it is nothing to be told
		for a := range assignments(f) {
			c.unapplied = append(c.unapplied, a.Assignment)
		}
	}
}

// files are those of sysctl.d in the order in which they are applied. A directory
// with the name of a file masks it; systemd passes over hidden files, procps does not.
func files(h *host.Host, systemd bool) ([]host.Fragment, error) {
	list, err := h.Fragments(Dirs, ".conf")
	if err != nil {
		return nil, err
	}
	maskedBy := map[string]string{}
	for _, dir := range slices.Backward(Dirs) {
		entries, err := h.Dir(dir)
		if err != nil {
			continue // Fragments has seen it
		}
		for _, e := range entries {
			if e.Type == fs.ModeDir {
				maskedBy[e.Name] = dir
			}
		}
	}
	return slices.DeleteFunc(list, func(f host.Fragment) bool {
		by, ok := maskedBy[f.Name]
		if ok && slices.Index(Dirs, by) < slices.Index(Dirs, strings.TrimSuffix(f.Path, "/"+f.Name)) {
			return true
		}
		return systemd && f.Name[0] == '.'
	}), nil
}

// systemdPaths are there where systemd runs a node. Not each is mounted into a pod.
var systemdPaths = []string{
	"/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl", "/run/systemd/system", "/etc/systemd/system",
}
