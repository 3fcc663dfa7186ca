package check

import (
	"errors"
	"io/fs"
	"path"
	"slices"
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
	Reads: []string{"/etc/passwd", "/etc/shadow", "/etc/systemd/system/rescue.service", "/etc/systemd/system/emergency.service", "getty@.service", "/proc/cmdline"},
	Run: passwords(func(h *host.Host, rules *Rules) (Result, error) {
		var j judge
		state, where, err := rootPassword(h)
		j.unknown(err)
		if err == nil {
			j.rootPassword(state, where, rules)
		} else {
			state = accounts.Set // what is wrong only without a password is not known to be
		}
		for _, unit := range []string{"rescue.service", "emergency.service"} {
			j.rescue(h, unit, state)
		}
		j.debugShell(h)
		j.autologin(h)
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
		switch login, forced := sulogin(command.Value); {
		case !login:
			f.Actual, f.Detail = name+" starts another program", "it does not ask for the password of root"
			j.fault(f)
		case forced && state != accounts.Set:
			f.Actual, f.Detail = name+" starts sulogin --force", unlocked
			j.fault(f)
		default:
			j.hold(f)
		}
	}
	for _, key := range []string{"ExecStartPre", "ExecStartPost"} {
		for _, command := range unit.List("Service", key) {
			if words := program(command.Value); len(words) == 1 && slices.Contains(shells, words[0]) {
				j.fault(Finding{Where: command.Where, Actual: name + " starts a shell beside sulogin", Detail: "it does not ask for the password of root"})
			}
		}
	}
	if state != accounts.Set {
		j.forcedBy(h, unit)
	}
}

// unlocked is what force comes to.
const unlocked = "a shell opens without a password while that of root is locked"

// forcedBy judges that the variables of a unit do not force sulogin.
func (j *judge) forcedBy(h *host.Host, unit *systemd.Unit) {
	value, set, err := unit.Variable(h, force)
	if err != nil {
		j.unknown(err)
		return
	}
	if !set || off(value) {
		return
	}
	f := Finding{Where: unit.Path, Actual: force + " is set", Detail: unlocked}
	for _, key := range []string{"EnvironmentFile", "Environment"} {
		for _, s := range unit.List("Service", key) {
			if key == "EnvironmentFile" || strings.Contains(s.Value, force) {
				f.Where = s.Where
			}
		}
	}
	j.fault(f)
}

// shells are the programs that ask nothing.
var shells = []string{"sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"}

// program is the words of a command, the first without its directory and without
// the prefixes of systemd.
func program(command string) []string {
	words := strings.Fields(strings.TrimLeft(command, "@-:+!|"))
	if len(words) > 0 {
		words[0] = path.Base(words[0])
	}
	return words
}

// sulogin is whether a command of a unit starts sulogin and nothing else that opens a
// shell, and whether it makes it force one. Older systems put it into a shell, with
// what goes on to the default target behind it.
func sulogin(command string) (login, forced bool) {
	words := program(command)
	switch {
	case len(words) == 0:
		return false, false
	case words[0] == "systemd-sulogin-shell":
		return true, false
	case words[0] == "sulogin":
		return true, slices.ContainsFunc(words[1:], func(w string) bool {
			return abbreviates(w, "--force", "--f") || strings.HasPrefix(w, "-") && !strings.HasPrefix(w, "--") && strings.Contains(w, "e")
		})
	case len(words) < 3 || !slices.Contains(shells, words[0]) || words[1] != "-c":
		return false, false
	}
	script := strings.Trim(strings.Join(words[2:], " "), `"'`)
	for part := range strings.SplitSeq(script, ";") {
		switch words := program(strings.TrimSpace(part)); {
		case len(words) == 0 || words[0] == "systemctl":
		case words[0] != "sulogin" || strings.ContainsAny(part, "&|`$()"):
			return false, false
		default:
			_, force := sulogin(strings.TrimSpace(part))
			login, forced = true, forced || force
		}
	}
	return login, forced
}

// off is whether systemd takes a value for no.
func off(value string) bool {
	return slices.Contains([]string{"0", "no", "n", "false", "f", "off"}, strings.ToLower(value))
}

func forced(text string) bool {
	name, value, _ := strings.Cut(strings.Trim(text, `"'`), "=")
	return name == force && !off(value)
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

// autologin judges that the units of consoles log nobody in by themselves.
func (j *judge) autologin(h *host.Host) {
	consoles, err := gettyCommands(h)
	j.unknown(err)
	for _, c := range consoles {
		if c.autologin {
			j.fault(Finding{Where: c.where, Actual: c.unit + " has --autologin", Detail: "a console has a shell without a password"})
		}
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
		switch name {
		case "systemd.debug_shell", "systemd.debug-shell", "flatcar.autologin", "coreos.autologin":
			if !off(value) {
				j.fault(Finding{Where: cmdline, Actual: name, Detail: "a console has a shell without a password"})
			}
		case "rd.break", "break":
			j.fault(Finding{Where: cmdline, Actual: name, Detail: "the first file system opens a shell without a password"})
		case "init", "rdinit":
			if slices.Contains(shells, path.Base(value)) {
				j.fault(Finding{Where: cmdline, Actual: name + "=" + value, Detail: "the node starts a shell of root instead of its system"})
			}
		case force, "systemd.setenv":
			if state != accounts.Set && (forced(word) || forced(value)) {
				j.fault(Finding{Where: cmdline, Actual: force + " is set", Detail: unlocked})
			}
		}
	}
}
