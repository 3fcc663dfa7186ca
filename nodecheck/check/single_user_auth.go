package check

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/accounts"
	"github.com/hardgate-dev/hardgate/nodecheck/host/systemd"
)

// singleUserAuth: CIS Ubuntu 16.04 1.4.3 wants a password for root; later editions
// accept a locked one too. A password is worth nothing where the shell of
// single-user mode does not ask for it, so that is looked at as well.
var singleUserAuth = Check{
	ID:    "single-user-auth",
	Reads: []string{"/etc/passwd", "/etc/shadow", "/etc/systemd/system/rescue.service", "/etc/systemd/system/emergency.service", "/proc/cmdline"},
	Run: passwords(func(h *host.Host, rules *Rules) (Result, error) {
		var j judge
		state, where, err := rootPassword(h)
		j.unknown(err)
		if err == nil {
			j.rootPassword(state, where, rules)
		}
		for _, unit := range []string{"rescue.service", "emergency.service"} {
			j.rescue(h, unit, state)
		}
		j.debugShell(h)
		j.kernelShell(h, state)
		return j.done()
	}),
}

// rootPassword is what root's password field amounts to, and where that is.
func rootPassword(h *host.Host) (accounts.Password, string, error) {
	users, err := accounts.ReadUsers(h)
	if err != nil && !missing(err) {
		return 0, "", err
	}
	if root, ok := users.Get("root"); ok && root.Password != accounts.Shadowed {
		return root.Password, root.Where, nil
	}
	shadow, err := accounts.ReadShadow(h)
	if err != nil {
		return 0, "", err
	}
	if root, ok := shadow.Get("root"); ok {
		return root.Password, root.Where, nil
	}
	return accounts.Locked, "/etc/shadow", nil
}

func (j *judge) rootPassword(state accounts.Password, where string, rules *Rules) {
	f := Finding{Where: where, Expected: "root: a password is set", Actual: "root: " + state.String()}
	ok := state == accounts.Set
	if rules.LockedRoot {
		f.Expected = "root: a password is set or locked"
		ok = ok || state == accounts.Locked || state == accounts.LockedSet
	}
	if state == accounts.Empty {
		f.Detail = "anyone at the console becomes root"
	}
	j.expect(ok, f)
}

// force makes sulogin give a shell to anyone where root's password is locked.
const force = "SYSTEMD_SULOGIN_FORCE"

// rescue judges that the shell of a unit asks for the password. A node without the
// unit has no such mode.
func (j *judge) rescue(h *host.Host, name string, state accounts.Password) {
	unit, err := systemd.Read(h, name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && unit.Masked {
		return
	}
	if err != nil {
		j.unknown(err)
		return
	}
	for _, command := range unit.List("Service", "ExecStart") {
		f := Finding{Where: command.Where, Expected: "sulogin", Actual: name + " starts sulogin"}
		if strings.Contains(command.Value, "sulogin") {
			j.hold(f)
			continue
		}
		f.Actual = name + " starts another program"
		f.Detail = "it does not ask for the password of root"
		j.fault(f)
	}
	if state == accounts.Set {
		return
	}
	for _, environment := range unit.List("Service", "Environment") {
		if forced(environment.Value) {
			j.fault(Finding{Where: environment.Where, Actual: force + " is set", Detail: "a shell opens without a password while that of root is locked"})
		}
	}
}

func forced(text string) bool {
	for word := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(strings.Trim(word, `"'`), "=")
		if name == force && value != "0" && !strings.EqualFold(value, "no") && !strings.EqualFold(value, "false") {
			return true
		}
	}
	return false
}

// debugShell judges that systemd's shell on the ninth console is off.
func (j *judge) debugShell(h *host.Host) {
	on, where, err := systemd.Enabled(h, "debug-shell.service")
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		j.unknown(err)
	case on:
		j.fault(Finding{Where: where, Actual: "debug-shell.service is enabled", Detail: "a console has a shell of root without a password"})
	}
}

// kernelShell judges that the kernel was not told to start a shell that nobody must
// log in to. A copied tree has no /proc.
func (j *judge) kernelShell(h *host.Host, state accounts.Password) {
	const cmdline = "/proc/cmdline"
	file, err := h.File(cmdline)
	if missing(err) {
		return
	}
	if err != nil {
		j.unknown(err)
		return
	}
	for word := range strings.FieldsSeq(string(file.Data)) {
		name, value, _ := strings.Cut(word, "=")
		off := value == "0" || value == "no" || value == "off" || value == "false"
		switch name {
		case "systemd.debug_shell", "systemd.debug-shell", "flatcar.autologin", "coreos.autologin":
			if !off {
				j.fault(Finding{Where: cmdline, Actual: name, Detail: "a console has a shell without a password"})
			}
		case "init", "rdinit":
			switch base := path.Base(value); base {
			case "sh", "bash", "dash", "ash", "busybox":
				j.fault(Finding{Where: cmdline, Actual: name + "=" + value, Detail: "the node starts a shell of root instead of its system"})
			}
		case force, "systemd.setenv":
			if state != accounts.Set && (forced(word) || forced(value)) {
				j.fault(Finding{Where: cmdline, Actual: force + " is set", Detail: "a shell opens without a password while that of root is locked"})
			}
		}
	}
}
