package sysctl

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/packages"
	"github.com/hardgate-dev/hardgate/nodecheck/host/systemd"
)

const service = "systemd-sysctl.service"

var (
	errProgram   = errors.New("the unit does not run systemd-sysctl as it is packaged, so that what is set at boot is not known")
	errCondition = errors.New("the unit has a condition of the node's own, so that it is not known whether it runs")
	errUntilBoot = errors.New("it is masked until the next boot only: what that boot sets is not known")
	errNotPulled = errors.New("nothing starts systemd-sysctl at boot")
)

// unit returns the file that masks systemd-sysctl.service, empty where none does. An
// error says why it is not known what the service does. Where a tree does not have the
// unit, it has a part of the system only: the program runs as it is packaged.
func unit(h *host.Host) (masked string, err error) {
	u, err := systemd.Read(h, service)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if u.Masked && strings.HasPrefix(u.Path, "/run/") {
		return "", &host.Error{Path: u.Path, Err: errUntilBoot}
	}
	if u.Masked {
		return u.Path, nil
	}
	argv, where, err := u.Command(h)
	if err != nil {
		return "", err
	}
	// With arguments it applies some files or some keys only.
	if len(argv) > 1 || path.Base(argv[0]) != "systemd-sysctl" {
		return "", &host.Error{Path: where, Err: errProgram}
	}
	for _, s := range u.Settings {
		if s.Section == "Unit" && s.Value != "" && conditional(s.Key) && !packaged(s.Where) {
			return "", &host.Error{Path: s.Where, Err: errCondition}
		}
	}
	on, where, err := systemd.Enabled(h, service)
	if err == nil && !on {
		err = &host.Error{Path: where, Err: errNotPulled}
	}
	return "", err
}

func conditional(key string) bool {
	return strings.HasPrefix(key, "Condition") || strings.HasPrefix(key, "Assert")
}

func packaged(where string) bool {
	return slices.ContainsFunc([]string{"/usr/lib/", "/lib/"}, func(dir string) bool { return strings.HasPrefix(where, dir) })
}

// before245 is whether systemd is known to be older than release 245, the first whose
// sysctl.d(5) has patterns and lines that begin with a minus. dpkg writes "229-4ubuntu21".
func before245(h *host.Host) (bool, error) {
	version, _, err := packages.Version(h, "systemd")
	switch {
	case err != nil && packages.None(err):
		return false, nil
	case err != nil:
		return false, err
	}
	digits := len(version) - len(strings.TrimLeft(version, "0123456789"))
	n, err := strconv.Atoi(version[:digits])
	return err == nil && n < 245, nil
}
