package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/modprobe"
)

// filesystemModuleChecks: CIS Ubuntu 16.04 1.1.1.1 to 1.1.1.5.
var filesystemModuleChecks = []*Check{
	moduleCheck("mod-cramfs", "cramfs"),
	moduleCheck("mod-freevxfs", "freevxfs"),
	moduleCheck("mod-jffs2", "jffs2"),
	moduleCheck("mod-hfs", "hfs"),
	moduleCheck("mod-hfsplus", "hfsplus"),
}

// protocolModuleChecks: CIS Ubuntu 16.04 3.5.1 to 3.5.4.
var protocolModuleChecks = []*Check{
	moduleCheck("mod-dccp", "dccp"),
	moduleCheck("mod-sctp", "sctp"),
	moduleCheck("mod-rds", "rds"),
	moduleCheck("mod-tipc", "tipc"),
}

// unnecessaryModules are drivers of hardware that a node in a rack or a cloud has
// no use for.
var unnecessaryModules = []string{"usb-storage", "firewire-core", "floppy", "bluetooth"}

var modUnnecessary = Check{
	ID:    "mod-unnecessary",
	Reads: slices.Concat(moduleReads, []string{"/sys/bus", "/sys/class/bluetooth"}), // in kernels without loadable modules
	Run: func(h *host.Host, rules *Rules) (Result, error) {
		n := modprobe.Read(h)
		var j judge
		seen := map[string]bool{}
		for _, name := range slices.Concat(unnecessaryModules, rules.Modules) {
			switch {
			case !modprobe.Valid(name):
				j.unknown(fmt.Errorf("%q cannot be the name of a kernel module", shown(name)))
			case !seen[modprobe.Canonical(name)]:
				seen[modprobe.Canonical(name)] = true
				j.module(h, n, name, rules)
			}
		}
		return j.done()
	},
}

var moduleReads = slices.Concat(modprobe.Dirs, []string{
	"/lib/modules", "/proc/modules", "/proc/cmdline", "/proc/filesystems", "/proc/net/protocols",
})

func moduleCheck(id control.ID, name string) *Check {
	return &Check{
		ID:    id,
		Reads: moduleReads,
		Run: func(h *host.Host, rules *Rules) (Result, error) {
			var j judge
			j.module(h, modprobe.Read(h), name, rules)
			return j.done()
		},
	}
}

// module judges that a module is not in the kernel now, and that nothing that goes
// through modprobe can bring it in.
func (j *judge) module(h *host.Host, n *modprobe.Node, name string, rules *Rules) {
	if modprobe.Monolithic(h) {
		j.unloadable(h, name)
		return
	}
	present, err := n.Presence(name)
	if present.Kind == modprobe.Builtin {
		j.builtin(present.Place, name)
		return
	}
	if at, ok := unlisted(h, n, name); ok {
		j.builtin(at, name)
		return
	}
	j.notLoaded(n, name)
	j.unknownOnce(err)
	switch {
	case present.Kind == modprobe.Loadable:
		j.notLoadable(n, name, present.Place, rules)
	case err == nil:
		j.hold(Finding{
			Where: present.Place.String(), Expected: name + " not loadable", Actual: "no module " + name,
			Detail: kernelsOf(n), State: Persisted,
		})
		// The next boot may be with a kernel that was installed meanwhile.
		next, found, err := n.Elsewhere(name)
		j.unknownOnce(err)
		if found {
			j.notLoadable(n, name, next, rules)
		}
	}
}

// unlisted is whether the running kernel shows that it has a module built in that
// the lists on disk do not have: they may be those of other kernels.
func unlisted(h *host.Host, n *modprobe.Node, name string) (modprobe.Place, bool) {
	if loaded, err := n.Loaded(name); err != nil || loaded != nil {
		return modprobe.Place{}, false
	}
	found, at, err := modprobe.InKernel(h, name)
	return at, err == nil && found
}

// unloadable judges a module where the kernel can load none: what it has is built in.
func (j *judge) unloadable(h *host.Host, name string) {
	found, at, err := modprobe.InKernel(h, name)
	switch {
	case err != nil:
		j.unknownOnce(err)
	case found:
		j.builtin(at, name)
	default:
		j.hold(Finding{
			Where: at.String(), Expected: name + " not in the kernel", Actual: name + " not in the kernel",
			Detail: "the kernel has no loadable modules",
		})
	}
}

// builtin is wrong in both states at once: it is in force, and is so after every boot.
func (j *judge) builtin(at modprobe.Place, name string) {
	j.fault(Finding{
		Where: at.String(), Expected: name + " not in the kernel", Actual: name + " built in",
		Detail: "no configuration of modprobe keeps it out, only another kernel does",
	})
}

func (j *judge) notLoaded(n *modprobe.Node, name string) {
	loaded, err := n.Loaded(name)
	f := Finding{Where: "/proc/modules", Expected: name + " not loaded", Actual: name + " not loaded", State: Running}
	switch {
	case err != nil:
		j.unknownOnce(err)
	case loaded == nil:
		j.hold(f)
	default:
		f.Where, f.Actual = loaded.Place.String(), name+" loaded"
		if loaded.Users != "" {
			f.Detail = "used by " + shown(loaded.Users)
		}
		j.fault(f)
	}
}

// notLoadable judges a module that the kernel has on disk.
func (j *judge) notLoadable(n *modprobe.Node, name string, file modprobe.Place, rules *Rules) {
	if at, ok := n.Refused(name); ok {
		j.hold(Finding{
			Where: at.String(), Expected: name + " not loadable", Actual: "module_blacklist has " + name,
			Detail: "the kernel itself refuses it when it is booted with this line", State: Persisted,
		})
		return
	}
	if err := n.Config(); err != nil {
		// What was not read may come first: no line that was read decides.
		j.unknownOnce(err)
		return
	}
	j.installLine(n, name, file)
	if rules.DenyListModules {
		at, denied := n.Denied(name)
		f := Finding{Where: at.String(), Expected: "blacklist " + name, Actual: "blacklist " + name, State: Persisted}
		if !denied {
			f.Where, f.Actual = "/etc/modprobe.d", "no blacklist line for "+name
		}
		j.expect(denied, f)
	}
}

func (j *judge) installLine(n *modprobe.Node, name string, file modprobe.Place) {
	install := n.Install(name)
	f := Finding{Where: "/etc/modprobe.d", Expected: "install " + name + " /bin/false", State: Persisted}
	if install == nil {
		f.Actual = "no install line for " + name
		f.Detail = "it is loadable: " + file.String()
		if at, denied := n.Denied(name); denied {
			f.Detail = join(f.Detail, "the deny list at "+at.String()+" keeps it from being loaded by an alias only")
		}
		j.fault(f)
		return
	}
	f.Where, f.Actual = install.Place.String(), moduleLine("install", install.Pattern, install.Command)
	if !install.Disables() {
		f.Detail = "the first line that matches counts, and its command may load the module"
		j.fault(f)
		return
	}
	ok := true
	if dep := n.Softdep(name); dep != nil {
		ok = false
		j.fault(Finding{
			Where: dep.Place.String(), Expected: "no softdep line for " + name, Actual: moduleLine("softdep", dep.Pattern, strings.Join(dep.Names, " ")),
			Detail: "modprobe passes over the install line at " + f.Where + ": softdep takes precedence", State: Persisted,
		})
	}
	if past := n.Past(name); past != nil {
		ok = false
		j.fault(Finding{
			Where: past.Place.String(), Expected: "no other line that loads " + name, Actual: moduleLine("install", past.Pattern, past.Command),
			Detail: "it passes over the install line at " + f.Where, State: Persisted,
		})
	}
	if ok {
		j.hold(f)
	}
}

// unknownOnce is unknown, for what concerns several modules at once.
func (j *judge) unknownOnce(err error) {
	if err == nil || slices.ContainsFunc(j.unsure, func(e error) bool { return e.Error() == err.Error() }) {
		return
	}
	j.unknown(err)
}

// kernelsOf says which kernels were looked at where that is not plain.
func kernelsOf(n *modprobe.Node) string {
	list := n.Kernels()
	if len(list) < 2 {
		return ""
	}
	return shown("not known which kernel runs, looked at " + strings.Join(list, ", "))
}

// moduleLine is a line of modprobe.d in a report.
func moduleLine(words ...string) string { return shown(strings.Join(words, " ")) }

// shown makes text of a node fit for a report: one line, not long, no characters
// that cannot be seen.
func shown(s string) string {
	const longest = 120
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' }), " ")
	if cut := []rune(s); len(cut) > longest {
		s = string(cut[:longest]) + "…"
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		s = strconv.Quote(s)
	}
	return s
}
