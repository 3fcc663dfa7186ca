// Package process finds the processes that make a machine a node: the kubelet,
// kube-proxy, the programs that contain one of them, and the sshd that lets people in.
// It reads command lines, never the environment.
package process

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Name is a program that is looked for.
type Name string

// The programs that are looked for.
const (
	Kubelet   Name = "kubelet"
	KubeProxy Name = "kube-proxy"
	// The others contain a kubelet and show none of its flags.
	K3s        Name = "k3s"
	Kubelite   Name = "kubelite"
	MicroShift Name = "microshift"
	EdgeCore   Name = "edgecore"
	// Sshd waits for connections; the processes of those have other names.
	Sshd Name = "sshd"
)

// Embedding are the programs that contain a kubelet.
var Embedding = []Name{K3s, Kubelite, MicroShift, EdgeCore}

// Process is one running program.
type Process struct {
	PID  int
	Name Name
	// Path is argv[0], and Args is what follows. Of a program of many parts, such as
	// hyperkube, the name of the part is in neither.
	Path string
	Args []string
	// Where is the file that says so.
	Where string
	// Parent is the process that started it, 0 if that is not known.
	Parent int
	// Root is whether the process runs as root.
	Root bool
	// Depth is how many containers with processes of their own are around it, and Pod
	// the UID of the pod that it runs in, if any. A pod on a node has a depth of 1, or
	// of 0 where it shares the host's processes.
	Depth int
	Pod   string
	// Unit is the service that the process belongs to, if any.
	Unit string
}

// Dir is the process's directory below /proc.
func (p *Process) Dir() string { return "/proc/" + strconv.Itoa(p.PID) }

// Table is what /proc shows.
type Table struct {
	Found []Process
	// None is whether there is no /proc: the node is a copy of a file system.
	None bool
	// Err is why a process may be missing from Found; nil if all are seen.
	Err error
	// next is for the scan that follows.
	next Known
}

// Next returns what the next scan need not look at again; provide it with
// host.Provide. A scan without it looks at every process.
func (t *Table) Next() Known { return t.next }

// Known are processes that earlier scans saw.
type Known struct {
	// others are those that none of the names fits, by how many scans said so: a
	// process that has just been forked is still to become another program.
	others map[int]int
}

// settled is how many scans must have seen a process as it is.
const settled = 3

// Named returns the processes of a name.
func (t *Table) Named(name Name) (list []*Process) {
	for i := range t.Found {
		if t.Found[i].Name == name {
			list = append(list, &t.Found[i])
		}
	}
	return list
}

// maxCmdline bounds a command line. Those of kubelets have a few thousand bytes.
const maxCmdline = 64 << 10

// Read looks at every process of the node.
func Read(h *host.Host) (*Table, error) {
	return host.Memo(h, func(h *host.Host) (*Table, error) { return read(h), nil })
}

func read(h *host.Host) *Table {
	entries, err := h.Dir("/proc")
	if errors.Is(err, fs.ErrNotExist) {
		return &Table{None: true}
	}
	if err != nil {
		return &Table{Err: err}
	}
	known, _ := host.Provided[Known](h)
	t := scan(h, entries, known)
	if len(known.others) > 0 && !slices.ContainsFunc(t.Found, ofNode) {
		// A script that waited for something may have become the kubelet, which then has
		// its number; or the number was free for a while.
		t = scan(h, entries, Known{})
	}
	t.Found = slices.DeleteFunc(slices.Clone(t.Found), t.forked)
	return t
}

// ofNode is whether a process is, or contains, the kubelet of this machine.
func ofNode(p Process) bool {
	return p.Root && p.Depth == 0 && p.Pod == "" && (p.Name == Kubelet || slices.Contains(Embedding, p.Name))
}

// scan looks at the processes that are not known to be others.
func scan(h *host.Host, entries []host.Entry, known Known) *Table {
	t := &Table{None: true, next: Known{others: make(map[int]int, len(known.others))}}
	first := false // process 1 always runs
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name)
		if err != nil || e.Name[0] == '0' {
			continue
		}
		t.None = false
		first = first || pid == 1
		if n := known.others[pid]; n >= settled {
			t.next.others[pid] = n
			continue
		}
		t.look(h, pid, known)
	}
	if !t.None && !first && t.Err == nil {
		t.Err = &host.Error{Path: "/proc", Err: errHidden}
	}
	return t
}

// forked is whether a process is the child of one that is the same in all that is
// told of it. A kubelet starts other programs: between fork and exec, such a child
// looks like a second kubelet.
func (t *Table) forked(p Process) bool {
	return slices.ContainsFunc(t.Found, func(parent Process) bool {
		return parent.PID == p.Parent && parent.Name == p.Name && parent.Path == p.Path && slices.Equal(parent.Args, p.Args) &&
			parent.Root == p.Root && parent.Depth == p.Depth && parent.Pod == p.Pod && parent.Unit == p.Unit
	})
}

var errHidden = errors.New("processes of other users are hidden")

// look reads one process.
func (t *Table) look(h *host.Host, pid int, known Known) {
	p := Process{PID: pid}
	f, err := h.Large(p.Dir()+"/cmdline", maxCmdline)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH):
		return // gone meanwhile
	case err != nil:
		t.Err = err
		return
	}
	if !p.parse(f) {
		t.next.others[pid] = known.others[pid] + 1
		return
	}
	if err := p.place(h); err != nil {
		t.Err = err
	}
	t.Found = append(t.Found, p)
}

// parse takes a command line apart, and reports whether the program is one of those
// that are looked for. A kernel's thread has no command line.
func (p *Process) parse(f *host.File) bool {
	argv0, rest, _ := bytes.Cut(f.Data, []byte{0})
	if title, ok := strings.CutPrefix(string(argv0), "sshd: "); ok {
		return p.listener(title, f.Path)
	}
	name, ok := nameOf(string(argv0))
	if !ok {
		return false
	}
	p.Name, p.Path, p.Where = name, string(argv0), f.Path
	if len(rest) > 0 {
		p.Args = strings.Split(strings.TrimSuffix(string(rest), "\x00"), "\x00")
	}
	return p.unwrap()
}

// listener reads what sshd calls itself since OpenSSH 8.2: "/usr/sbin/sshd -D [listener]
// 0 of 10-100 startups". Arguments that have blanks are several here.
func (p *Process) listener(title, where string) bool {
	command, _, ok := strings.Cut(title, " [listener] ")
	words := strings.Split(command, " ")
	if !ok || path.Base(words[0]) != string(Sshd) {
		return false
	}
	p.Name, p.Path, p.Args, p.Where = Sshd, words[0], words[1:], where
	return true
}

// Program tells which of the programs a command line starts, and its arguments; it is
// not ok if that is another program, such as a script.
func Program(argv []string) (name Name, args []string, ok bool) {
	if name, ok = nameOf(argv[0]); !ok {
		return "", nil, false
	}
	p := Process{Name: name, Args: argv[1:]}
	ok = p.unwrap()
	return p.Name, p.Args, ok
}

// unwrap finds the program in one of many parts.
func (p *Process) unwrap() bool {
	if p.Name == hyperkube {
		if len(p.Args) == 0 {
			return false
		}
		name, ok := nameOf(p.Args[0])
		p.Name, p.Args = name, p.Args[1:]
		return ok && (name == Kubelet || name == KubeProxy)
	}
	switch {
	case len(p.Args) == 0:
		return p.Name != MicroShift
	case p.Name == K3s: // "k3s kubectl" is a client. Once it runs, k3s shows its role alone.
		return p.Args[0] == "server" || p.Args[0] == "agent"
	case p.Name == MicroShift:
		return p.Args[0] == "run"
	}
	return true
}

const hyperkube Name = "hyperkube"

// nameOf is the program of a path. Several versions of one may be installed beside
// each other: kubelet-1.29.2.
func nameOf(argv0 string) (Name, bool) {
	base := path.Base(argv0)
	// k3s writes its role into argv[0]: "/usr/local/bin/k3s server".
	base, role, _ := strings.Cut(base, " ")
	if role != "" && role != "server" && role != "agent" {
		return "", false
	}
	for _, name := range []Name{Kubelet, KubeProxy, K3s, Kubelite, MicroShift, EdgeCore, Sshd, hyperkube} {
		rest, ok := strings.CutPrefix(base, string(name))
		if ok && (rest == "" || isVersion(rest)) {
			return name, true
		}
	}
	return "", false
}

// isVersion is whether a name goes on with a version: "-1.29.2", "-v1.29.2".
func isVersion(s string) bool {
	s, ok := strings.CutPrefix(s, "-")
	s = strings.TrimPrefix(s, "v")
	return ok && s != "" && s[0] >= '0' && s[0] <= '9'
}
