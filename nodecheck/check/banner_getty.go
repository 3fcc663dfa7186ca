package check

import (
	"path"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/systemd"
)

// gettys are the programs that ask for a login at the console.
var gettys = []string{
	"/usr/sbin/agetty", "/sbin/agetty", "/usr/bin/agetty", "/usr/sbin/getty", "/sbin/getty", "/usr/sbin/mingetty", "/sbin/mingetty",
}

// gettyUnits judges what the units of consoles tell agetty of the banner: to show
// none, or that of other files.
func (j *judge) gettyUnits(h *host.Host, rules *Rules) {
	for _, name := range []string{"getty@.service", "serial-getty@.service", "console-getty.service"} {
		unit, err := systemd.Read(h, name)
		if missing(err) || err == nil && (unit.Masked || len(unit.List("Service", "ExecStart")) == 0) {
			continue
		}
		var argv []string
		var where string
		if err == nil {
			argv, where, err = unit.Command(h)
		}
		if err != nil {
			j.unknown(err)
			continue
		}
		if path.Base(argv[0]) != "agetty" {
			continue
		}
		none, files := gettyIssue(argv[1:])
		if none {
			j.fault(Finding{Where: where, Expected: bannerWanted, Actual: "--noissue", Detail: name + " asks for a login without a warning"})
		} else {
			j.banners(h, files, rules)
		}
	}
}

// gettyIssue takes the options for the banner out of the arguments of agetty(8).
func gettyIssue(args []string) (none bool, files []string) {
	const valued = "aCdfHIloPrtw"
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			break
		}
		if long, ok := strings.CutPrefix(arg, "--"); ok {
			long, value, set := strings.Cut(long, "=")
			switch {
			case abbreviates(long, "noissue", "noi"):
				none = true
			case !abbreviates(long, "issue-file", "is"):
			case set:
				files = strings.Split(value, ":")
			case i+1 < len(args):
				i++
				files = strings.Split(args[i], ":")
			}
			continue
		}
		letters, ok := strings.CutPrefix(arg, "-")
		for ok && letters != "" {
			letter := letters[0]
			letters = letters[1:]
			none = none || letter == 'i'
			if strings.IndexByte(valued, letter) < 0 {
				continue
			}
			if letters == "" && i+1 < len(args) {
				i++
				letters = args[i]
			}
			if letter == 'f' {
				files = strings.Split(letters, ":")
			}
			break
		}
	}
	return none, files
}

// abbreviates is whether getopt_long(3) takes text for an option of which shortest is
// the least that tells it from the others.
func abbreviates(text, option, shortest string) bool {
	return len(text) >= len(shortest) && len(text) <= len(option) && text == option[:len(text)]
}
