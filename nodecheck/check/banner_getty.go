package check

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/systemd"
)

// gettys are the programs that ask for a login at the console.
var gettys = []string{
	"/usr/sbin/agetty", "/sbin/agetty", "/usr/bin/agetty", "/usr/sbin/getty", "/sbin/getty", "/usr/sbin/mingetty", "/sbin/mingetty",
}

// gettyUnits are those of any console, and of the ones that have a unit of their own
// most often.
var gettyUnits = []string{
	"getty@.service", "getty@tty1.service", "console-getty.service",
	"serial-getty@.service", "serial-getty@ttyS0.service", "serial-getty@ttyAMA0.service", "serial-getty@hvc0.service",
}

// gettyBanners judges what the units of consoles tell agetty of the banner: to show
// none, or that of other files.
func (j *judge) gettyBanners(h *host.Host, rules *Rules) {
	consoles, err := gettyCommands(h)
	j.unknown(err)
	for _, c := range consoles {
		if c.silent {
			j.fault(Finding{Where: c.where, Expected: bannerWanted, Actual: "--noissue", Detail: c.unit + " asks for a login without a warning"})
		} else {
			j.banners(h, c.issue, rules)
		}
	}
}

// getty is how a unit starts agetty(8).
type getty struct {
	unit, where string
	silent      bool     // --noissue
	issue       []string // --issue-file
	autologin   bool
}

// gettyCommands are those of the units that there are. Beside an error there may be
// some.
func gettyCommands(h *host.Host) ([]getty, error) { return host.Memo(h, readGettys) }

func readGettys(h *host.Host) (list []getty, err error) {
	for _, name := range gettyUnits {
		unit, err2 := systemd.Read(h, name)
		if missing(err2) || err2 == nil && (unit.Masked || len(unit.List("Service", "ExecStart")) == 0) {
			continue
		}
		var argv []string
		g := getty{unit: name}
		if err2 == nil {
			argv, g.where, err2 = unit.Command(h)
		}
		if err2 != nil {
			err = errors.Join(err, err2)
			continue
		}
		seen := slices.ContainsFunc(list, func(other getty) bool { return other.where == g.where })
		if !seen && path.Base(argv[0]) == "agetty" {
			g.options(argv[1:])
			list = append(list, g)
		}
	}
	return list, err
}

// gettyValued are the long options that a value follows.
var gettyValued = []string{
	"autologin", "chdir", "chroot", "delay", "erase-chars", "host", "init-string", "issue-file", "kill-chars",
	"login-options", "login-program", "nice", "timeout",
}

// options takes those of interest out of the arguments of agetty.
func (g *getty) options(args []string) {
	const valued = "aCdfHIloPrtw"
	for i := 0; i < len(args) && args[i] != "--"; i++ {
		long, ok := strings.CutPrefix(args[i], "--")
		if ok {
			long, value, set := strings.Cut(long, "=")
			takes := slices.ContainsFunc(gettyValued, func(option string) bool { return abbreviates(long, option, option[:2]) })
			if takes && !set && i+1 < len(args) {
				i++
				value = args[i]
			}
			switch {
			case abbreviates(long, "noissue", "noi"):
				g.silent = true
			case abbreviates(long, "issue-file", "is"):
				g.issue = strings.Split(value, ":")
			case abbreviates(long, "autologin", "a"):
				g.autologin = true
			}
			continue
		}
		letters, ok := strings.CutPrefix(args[i], "-")
		for ok && letters != "" {
			letter := letters[0]
			letters = letters[1:]
			g.silent = g.silent || letter == 'i'
			g.autologin = g.autologin || letter == 'a'
			if strings.IndexByte(valued, letter) < 0 {
				continue
			}
			if letters == "" && i+1 < len(args) {
				i++
				letters = args[i]
			}
			if letter == 'f' {
				g.issue = strings.Split(letters, ":")
			}
			break
		}
	}
}

// abbreviates is whether getopt_long(3) takes text for an option of which shortest is
// the least that tells it from the others.
func abbreviates(text, option, shortest string) bool {
	return len(text) >= len(shortest) && len(text) <= len(option) && text == option[:len(text)]
}
