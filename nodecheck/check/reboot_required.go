package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/kernel"
)

// rebootFlags are written by the package hooks of Debian and Ubuntu, by others for
// kured, and the last by the update engine of Flatcar, whose next kernel is on a
// partition of its own. Other systems write none, so that the kernels are compared as
// well.
var rebootFlags = []string{"/run/reboot-required", "/var/run/reboot-required", "/run/update_engine_autoupdate_completed"}

// rebootRequired has no row: the host document asks for it in its notes.
var rebootRequired = Check{
	ID:    "reboot-required",
	Reads: append(slices.Clone(rebootFlags), kernel.ReleaseFile, "/boot", "/lib/modules"),
	Run: func(h *host.Host, _ *Rules) (Result, error) {
		var j judge
		j.rebootFlag(h)
		j.runningKernel(h)
		return j.done()
	},
}

func (j *judge) rebootFlag(h *host.Host) {
	f := Finding{Expected: "no such file", Actual: "it exists"}
	for _, name := range rebootFlags {
		info, err := h.Stat(name)
		switch {
		case missing(err):
			continue
		case err != nil:
			j.unknown(err)
			return
		}
		f.Where, f.Detail = name, "an update waits for a reboot"
		// Where /var/run is a link, both names are one file.
		if names := rebootPackages(h, info.Path+".pkgs"); names != "" {
			f.Detail = "a reboot is needed for " + names
		}
		j.fault(f)
		return
	}
	j.hold(Finding{Where: rebootFlags[0], Expected: f.Expected, Actual: "no such file"})
}

// rebootPackages are the first of the packages that asked for the reboot. That they
// cannot be read changes no verdict.
func rebootPackages(h *host.Host, name string) string {
	f, err := h.File(name)
	if err != nil || f.Text() != nil {
		return ""
	}
	const most, longest = 5, 64
	var names []string
	for line := range f.Lines() {
		p := strings.TrimSpace(line.Text)
		if p != "" && len(p) <= longest && !slices.Contains(names, p) {
			if names = append(names, p); len(names) > most {
				return strings.Join(names[:most], ", ") + " and others"
			}
		}
	}
	return strings.Join(names, ", ")
}

// runningKernel judges that no newer kernel of the running one's kind is installed.
func (j *judge) runningKernel(h *host.Host) {
	k, err := kernel.Read(h)
	if err != nil {
		j.unknown(err)
		return
	}
	f := Finding{Where: kernel.ReleaseFile, Actual: k.Running.Text}
	newest, ok := k.Newest()
	switch {
	case ok && newest.Release.Compare(k.Running) > 0:
		f.Expected, f.Detail = newest.Release.Text, "a newer kernel is installed at "+newest.Where
		j.fault(f)
	case ok:
		f.Detail = "no newer one of its kind is installed: the newest is " + newest.Where
		j.hold(f)
	case len(k.Installed) == 0:
		// The kernel comes from outside: of a virtual machine's host, say.
		f.Detail = "no kernel is installed that could wait"
		j.hold(f)
	default:
		j.unknown(&host.Error{Path: kernel.ReleaseFile, Err: fmt.Errorf(
			"the running kernel %s is of none of the kinds that are installed: %s for one", k.Running.Text, k.Installed[0].Where)})
	}
}
