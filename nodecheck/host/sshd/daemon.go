package sshd

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/process"
	"github.com/hardgate-dev/hardgate/nodecheck/host/systemd"
)

const program = "/usr/sbin/sshd"

// programDirs are where distributions have the server. One that is built by hand is
// elsewhere, and looks for its files elsewhere.
var programDirs = []string{"/usr/sbin", "/sbin", "/usr/bin", "/bin"}

var (
	errNoUnit    = errors.New("no unit starts sshd, so that its options are not known")
	errWrapped   = errors.New("another program starts sshd, so that its options are not known")
	errTwoWays   = errors.New("units start sshd with different options")
	errRunning   = errors.New("it is masked and sshd runs all the same, with options that are not known")
	errNoSocket  = errors.New("the socket starts a service that does not exist")
	errForeign   = errors.New("it is not the distribution's sshd, so that where it looks for its files is not known")
	errUntilBoot = errors.New("it is masked until the next boot only, which may start it")
	errStranger  = errors.New("an sshd runs that no unit starts")
	errOther     = errors.New("an sshd runs with other options than the units give it")
)

// daemon is how the server is started, or why it is not.
type daemon struct {
	off     string // why it is not
	where   string
	program string
	args    []string
}

// find looks for the units that distributions have for the server: a service that
// is enabled, or a socket that is and starts one.
func find(h *host.Host) (daemon, error) {
	f := finder{h: h}
	for _, name := range []string{"ssh", "sshd"} {
		if err := f.service(name + ".service"); err != nil {
			return daemon{}, err
		}
		if err := f.socket(name); err != nil {
			return daemon{}, err
		}
	}
	d, err := f.daemon()
	if err != nil {
		return daemon{}, err
	}
	return d, f.others(d)
}

// daemon is what the units say, if any starts the server.
func (f *finder) daemon() (daemon, error) {
	if len(f.started) == 0 {
		running, err := f.h.Exists(pidFile)
		if err != nil {
			return daemon{}, err
		}
		switch {
		case !running:
			return f.absent()
		case len(f.idle) == 0 && len(f.off) > 0:
			return daemon{}, &host.Error{Path: f.off[0].where, Err: errRunning}
		case len(f.idle) == 0:
			return daemon{}, &host.Error{Path: pidFile, Err: errNoUnit}
		}
		f.started = f.idle // by hand, or by a unit of another name
	}
	return f.command()
}

type finder struct {
	h       *host.Host
	off     []daemon        // the reasons of the units that start nothing
	idle    []*systemd.Unit // services that could be started
	started []*systemd.Unit
}

func (f *finder) service(name string) error {
	u, err := systemd.Read(f.h, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if u.Masked && strings.HasPrefix(u.Path, "/run/") {
		return &host.Error{Path: u.Path, Err: errUntilBoot}
	}
	if u.Masked {
		f.off = append(f.off, daemon{off: name + " is masked", where: u.Path})
		return nil
	}
	on, where, err := systemd.Enabled(f.h, name)
	switch {
	case err != nil:
		return err
	case on:
		f.started = append(f.started, u)
	default:
		f.idle = append(f.idle, u)
		f.off = append(f.off, daemon{off: name + " is not enabled, and no socket starts it", where: where})
	}
	return nil
}

// socket follows a socket to its service: a service for each connection, or one
// for all.
func (f *finder) socket(base string) error {
	name := base + ".socket"
	on, _, err := systemd.Enabled(f.h, name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !on {
		return nil
	}
	if err != nil {
		return err
	}
	socket, err := systemd.Read(f.h, name)
	if err != nil {
		return err
	}
	service := base + ".service"
	if s, ok := socket.Last("Socket", "Accept"); ok && isTrue(s.Value) {
		service = base + "@.service"
	} else if s, ok := socket.Last("Socket", "Service"); ok && s.Value != "" {
		service = s.Value
	}
	u, err := systemd.Read(f.h, service)
	if errors.Is(err, fs.ErrNotExist) {
		return &host.Error{Path: socket.Path, Err: fmt.Errorf("%w: %s", errNoSocket, service)}
	}
	if err != nil {
		return err
	}
	if !u.Masked {
		f.started = append(f.started, u)
	}
	return nil
}

// isTrue reads a boolean of systemd.
func isTrue(value string) bool {
	switch strings.ToLower(value) {
	case "1", "yes", "y", "true", "t", "on":
		return true
	}
	return false
}

// absent tells a server that is not installed or off from one that is started in
// a way that is not known. That a tree has no program says nothing unless it has
// programs.
func (f *finder) absent() (daemon, error) {
	if len(f.off) > 0 {
		return f.off[0], nil
	}
	there, err := f.h.Exists(program)
	if err != nil {
		return daemon{}, err
	}
	if there {
		return daemon{}, &host.Error{Path: program, Err: errNoUnit}
	}
	if _, err := f.h.Stat(path.Dir(program)); err != nil {
		return daemon{}, err
	}
	return daemon{off: "sshd is not installed", where: program}, nil
}

// command is how the units start the server. Several must agree, but for the
// options that say only what it is attached to.
func (f *finder) command() (daemon, error) {
	var first daemon
	for i, u := range f.started {
		argv, where, err := u.Command(f.h)
		if err != nil {
			return daemon{}, err
		}
		if path.Base(argv[0]) != "sshd" {
			return daemon{}, &host.Error{Path: where, Err: fmt.Errorf("%w: %s", errWrapped, argv[0])}
		}
		if !slices.Contains(programDirs, path.Dir(argv[0])) {
			return daemon{}, &host.Error{Path: where, Err: fmt.Errorf("%w: %s", errForeign, argv[0])}
		}
		d := daemon{where: where, program: argv[0], args: argv[1:]}
		if i == 0 {
			first = d
		} else if d.program != first.program || !slices.Equal(settings(d.args), settings(first.args)) {
			return daemon{}, &host.Error{Path: where, Err: fmt.Errorf("%w: see %s", errTwoWays, first.where)}
		}
	}
	there, err := f.h.Exists(first.program)
	if err != nil || there {
		return first, err
	}
	// A tree without the directory of the program has the unit of it all the same.
	if dir, err := f.h.Exists(path.Dir(first.program)); err != nil || !dir {
		return first, err
	}
	return daemon{off: "sshd is not installed", where: first.program}, nil
}

// others looks among what runs for a server that is not as the units start it: by hand,
// by a unit of another name, or since before its unit was changed. Those of containers
// are not the node's, and those of other users let nobody else in.
func (f *finder) others(d daemon) error {
	table, err := process.Read(f.h)
	if err != nil {
		return err
	}
	if d.off != "" && table.Err != nil {
		return table.Err
	}
	for _, p := range table.Named(process.Sshd) {
		switch {
		case p.Depth > 0 || p.Pod != "" || !p.Root:
		case slices.Contains(p.Args, "-R"): // of a connection, before it calls itself so
		case d.off != "":
			return &host.Error{Path: p.Where, Err: errStranger}
		case p.Path != d.program || !slices.Equal(split(p.Args), split(d.args)):
			return &host.Error{Path: p.Where, Err: errOther}
		}
	}
	return nil
}

// split are the settings of a command line as sshd shows them: at every blank.
func split(args []string) []string { return settings(strings.Split(strings.Join(args, " "), " ")) }

// settings are the options without those that say what the server is attached to.
func settings(args []string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == "-D" || arg == "-i" || arg == "-e" })
}
