package sshd

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// none is the name of a main file that stands for no file.
const none = "none"

const (
	withValue    = "CEbcfghkopu"
	withoutValue = "46DGQRTVdeiqrt"
)

// options reads the command line, without the program. It returns the main file
// that it names, empty where it names none.
func (p *parser) options(args []string, where string) (main string, err error) {
	var grace []assignment
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			return "", refused(where, "an argument that is no option")
		}
		for letters := arg[1:]; letters != ""; {
			letter := letters[0]
			letters = letters[1:]
			if strings.IndexByte(withoutValue, letter) >= 0 {
				continue
			}
			if strings.IndexByte(withValue, letter) < 0 {
				return "", refused(where, "unknown option -%c", letter)
			}
			value := letters
			letters = ""
			if value == "" {
				if len(args) == 0 {
					return "", refused(where, "option -%c has no value", letter)
				}
				value, args = args[0], args[1:]
			}
			switch letter {
			case 'f':
				main = value
			case 'o':
				if err := p.line(strings.TrimRight(value, blanks+"\f"), where, nil, 0); err != nil {
					return "", err
				}
			case 'g':
				if _, ok := Seconds(value); !ok {
					return "", refused(where, "the value of option -g is not a time")
				}
				// Unlike -o it sets the value whatever stands before; the last one counts.
				grace = []assignment{{value: value, where: where, option: true}}
			}
		}
	}
	if len(args) > 0 {
		return "", refused(where, "an argument that is no option")
	}
	if grace != nil {
		p.set["logingracetime"] = grace
	}
	if strings.EqualFold(main, none) {
		main = none
	}
	return main, nil
}

// mainFile is the file that the server reads unless it is told otherwise. The
// builds of openSUSE fall back to the vendor's; others do without none.
func mainFile(h *host.Host) (string, error) {
	for _, name := range []string{"/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config"} {
		there, err := h.Exists(name)
		if err != nil {
			return "", err
		}
		if there {
			return name, nil
		}
	}
	return "", refused("/etc/ssh/sshd_config", "the file does not exist")
}

// stale finds a file that is newer than the server's file with its process id,
// which the server writes when it starts and when it reads its configuration again.
func stale(h *host.Host, files []*host.File) (string, error) {
	info, err := h.Stat(pidFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil || info.ModTime.IsZero():
		return "", err
	}
	for _, f := range files {
		if f.Info.ModTime.After(info.ModTime) {
			return f.Path, nil
		}
	}
	return "", nil
}

const pidFile = "/run/sshd.pid"
