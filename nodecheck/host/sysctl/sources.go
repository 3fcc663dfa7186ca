package sysctl

import (
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

const cmdline = "/proc/cmdline"

// commandLine is what "sysctl.<key>=<value>" on the kernel's command line sets,
// before any program runs.
func commandLine(h *host.Host) layer {
	l := newLayer(true)
	words, err := bootWords(h)
	if err != nil {
		l.add(nil, err)
		return l
	}
	for _, word := range words {
		key, value, ok := strings.Cut(word, "=")
		key, sysctl := strings.CutPrefix(key, "sysctl")
		if ok && sysctl && key != "" && (key[0] == '.' || key[0] == '/') {
			l.set(assignment{Assignment: Assignment{Key: normalize(key[1:]), Value: value, Path: cmdline}})
		}
	}
	return l
}

// BootParameter returns the last value that the kernel's command line gives a
// parameter, in the form "ipv6.disable"; empty where it gives none or there is no
// command line to be read.
func BootParameter(h *host.Host, name string) (string, error) {
	words, err := bootWords(h)
	if missing(err) {
		return "", nil
	}
	var value string
	for _, word := range words {
		if v, ok := strings.CutPrefix(word, name+"="); ok {
			value = v
		}
	}
	return value, err
}

// bootWords are the parameters for the kernel: what follows "--" is for init.
func bootWords(h *host.Host) ([]string, error) {
	f, err := h.File(cmdline)
	if err != nil {
		return nil, err
	}
	words := strings.Fields(string(f.Data))
	for i, word := range words {
		if word == "--" {
			return words[:i], nil
		}
		words[i] = strings.ReplaceAll(word, `"`, "")
	}
	return words, nil
}

// ufwInits is the program of ufw that runs at boot; its configuration stays behind
// when the package is removed.
var ufwInits = []string{"/usr/lib/ufw/ufw-init", "/lib/ufw/ufw-init"}

// ufw is what the firewall ufw sets when it starts; false where it does not.
func ufw(h *host.Host) (l layer, ok bool) {
	l = newLayer(true)
	enabled, err := shellValue(h, "/etc/ufw/ufw.conf", "ENABLED")
	if err == nil && enabled != "yes" && enabled != "YES" {
		return l, false
	}
	if err == nil {
		var installed bool
		if installed, err = anyExists(h, ufwInits); err == nil && !installed {
			return l, false
		}
	}
	var file string
	if err == nil {
		file, err = shellValue(h, "/etc/default/ufw", "IPT_SYSCTL")
	}
	if err == nil && file == "" {
		return l, false
	}
	if err != nil {
		if missing(err) {
			return l, false
		}
		l.add(nil, err)
		return l, true
	}
	l.add(h.File(file))
	return l, true
}

func anyExists(h *host.Host, paths []string) (bool, error) {
	for _, p := range paths {
		if ok, err := h.Exists(p); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// shellValue is the last plain assignment to a variable in a file that a shell reads.
func shellValue(h *host.Host, name, variable string) (string, error) {
	f, err := h.File(name)
	if err != nil {
		return "", err
	}
	var value string
	for line := range f.Lines() {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line.Text), variable+"="); ok {
			v, _, _ = strings.Cut(v, " #")
			value = strings.Trim(strings.TrimSpace(v), `"'`)
		}
	}
	return value, f.Text()
}
