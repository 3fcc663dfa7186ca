package modprobe

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Node is what one node says of kernel modules. Module names may be written with
// dashes or underscores.
type Node struct {
	config    config
	configErr error
	cmdline   cmdline
	loaded    *host.File
	loadedErr error
	kernels   []*kernel
	kernelErr error
	// others reads the lists of the kernels that do not run, once.
	others func() []list
}

// Read reads the node once in a scan. What could not be read is told by the
// methods that would have needed it.
func Read(h *host.Host) *Node {
	n, _ := host.Memo(h, func(h *host.Host) (*Node, error) { return read(h), nil })
	return n
}

func read(h *host.Host) *Node {
	n := &Node{}
	var others []string
	n.kernels, others, n.kernelErr = kernels(h)
	n.others = sync.OnceValue(func() []list { return readOthers(h, others) })
	n.config, n.configErr = readConfig(h, n.kernels)
	n.cmdline = readCmdline(h)
	n.loaded, n.loadedErr = h.File(loadedPath)
	return n
}

// Place is a line of a file; a file alone where Line is 0.
type Place struct {
	Path string
	Line int
}

// String is the place as findings name it.
func (p Place) String() string { return host.At(p.Path, p.Line) }

// Valid is whether a name can be that of a module: letters, digits, dashes and
// underscores, at most as many as the kernel keeps.
func Valid(name string) bool {
	const longest = 55 // MODULE_NAME_LEN without the NUL, on 64 bits
	if name == "" || len(name) > longest {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// Canonical is the name as the kernel knows the module.
func Canonical(name string) string { return strings.ReplaceAll(name, "-", "_") }

const loadedPath = "/proc/modules"

// Loaded is an entry of /proc/modules.
type Loaded struct {
	Place Place
	Users string // the modules that use it, separated by commas
}

// Loaded returns the entry of a module that is loaded; nil if it is not. Modules
// that are part of the kernel have none.
func (n *Node) Loaded(name string) (*Loaded, error) {
	if n.loadedErr != nil {
		return nil, n.loadedErr
	}
	prefix := Canonical(name) + " "
	for line := range n.loaded.Lines() {
		if !strings.HasPrefix(line.Text, prefix) {
			continue
		}
		l := &Loaded{Place: Place{loadedPath, line.N}}
		// name size references users state address
		if fields := strings.Fields(line.Text); len(fields) > 3 && fields[3] != "-" {
			l.Users = strings.TrimSuffix(fields[3], ",")
		}
		return l, nil
	}
	return nil, nil //nolint:nilnil // nil is an answer here: not loaded
}

// Config is whether the configuration could be read whole. Where it could not,
// what Install, Softdep, Past and Denied return is not all that there is.
func (n *Node) Config() error { return n.configErr }

// Install returns the install line that modprobe runs in place of loading a
// module: the first whose pattern matches. It is nil where there is none.
func (n *Node) Install(name string) *Install {
	name = Canonical(name)
	for i := range n.config.installs {
		if l := &n.config.installs[i]; match(l.Pattern, name) {
			return l
		}
	}
	return nil
}

// Softdep returns the softdep line of a module that names others, the first whose
// pattern matches. Where there is one, modprobe passes over the install line of
// the module: see modprobe.d(5). Whether the others exist is not looked at.
func (n *Node) Softdep(name string) *Softdep {
	name = Canonical(name)
	for i := range n.config.softdeps {
		if l := &n.config.softdeps[i]; match(l.Pattern, name) {
			if len(l.Names) == 0 {
				return nil
			}
			return l
		}
	}
	return nil
}

// Past returns an install line of something else that loads the module past its
// own install line, by insmod or modprobe --ignore-install.
func (n *Node) Past(name string) *Install {
	name = Canonical(name)
	for _, i := range n.config.running {
		if l := &n.config.installs[i]; l.inserts(name) && !match(l.Pattern, name) {
			return l
		}
	}
	return nil
}

// Denied returns where a module is on the deny list of modprobe, which keeps it
// from being loaded by alias only, and from systemd-modules-load.
func (n *Node) Denied(name string) (Place, bool) {
	name = Canonical(name)
	for _, d := range n.config.denied {
		if d.name == name {
			return d.place, true
		}
	}
	if slices.Contains(n.cmdline.modprobe, name) {
		return Place{Path: cmdlinePath}, true
	}
	return Place{}, false
}

// Refused returns where the kernel was told to refuse a module, by whatever
// program it is loaded: module_blacklist= on its command line.
func (n *Node) Refused(name string) (Place, bool) {
	return Place{Path: cmdlinePath}, slices.Contains(n.cmdline.kernel, Canonical(name))
}

// Kind is where the code of a module is.
type Kind int

// The kinds.
const (
	Absent   Kind = iota // the kernel does not have it
	Loadable             // a file that modprobe finds
	Builtin              // part of the kernel itself
)

// Presence tells where the code of a module is.
type Presence struct {
	Kind  Kind
	Place Place // the entry of it, or the list that has none
}

// Presence looks a module up in the lists of the running kernel; in those of all
// kernels on disk where it is not known which is running or its lists are gone.
// With an error, the presence is the least that there is.
func (n *Node) Presence(name string) (Presence, error) {
	if n.kernelErr != nil {
		return Presence{}, n.kernelErr
	}
	name = Canonical(name)
	best := Presence{Place: Place{Path: modulesDir}}
	if len(n.kernels) == 1 {
		best.Place.Path = n.kernels[0].dep.path
	}
	var unsure error
	for _, k := range n.kernels {
		p, err := k.presence(name)
		if err != nil {
			unsure = err
		} else if p.Kind > best.Kind {
			best = p
		}
	}
	if best.Kind == Builtin {
		return best, nil // nothing that was not read is worse
	}
	return best, unsure
}

// Elsewhere returns where a kernel that does not run now, and may run after the next
// boot, has the file of a module. An error means that one may have it.
func (n *Node) Elsewhere(name string) (place Place, found bool, err error) {
	name = Canonical(name)
	for _, l := range n.others() {
		if l.err != nil {
			err = l.err
		} else if line := l.find(name); line > 0 {
			return Place{l.path, line}, true, nil
		}
	}
	return Place{}, false, err
}

// Kernels names the kernels whose modules are judged.
func (n *Node) Kernels() (list []string) {
	for _, k := range n.kernels {
		list = append(list, k.release)
	}
	return list
}

func malformed(path, what string) error {
	return &host.Error{Path: path, Err: fmt.Errorf("%w: %s", host.ErrMalformed, what)}
}
