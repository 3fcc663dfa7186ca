package modprobe

import (
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

const cmdlinePath = "/proc/cmdline"

// cmdline is the two lists that the kernel command line may have. Names are as they
// are written: neither the kernel nor libkmod takes a dash for an underscore here.
type cmdline struct {
	kernel   []string
	modprobe []string
}

// readCmdline takes a command line that cannot be read for one without lists: it
// can only allow less.
func readCmdline(h *host.Host) cmdline {
	f, err := h.File(cmdlinePath)
	if err != nil || f.Text() != nil {
		return cmdline{}
	}
	return parseCmdline(string(f.Data))
}

func parseCmdline(text string) (c cmdline) {
	forInit := false
	for _, arg := range args(text) {
		key, value, _ := strings.Cut(arg, "=")
		switch {
		case arg == "--":
			// The kernel stops here; libkmod does not.
			forInit = true
		case key == "modprobe.blacklist":
			c.modprobe = append(c.modprobe, strings.Split(value, ",")...)
		case !forInit && strings.ReplaceAll(strings.TrimPrefix(key, `"`), "-", "_") == "module_blacklist":
			// The last one counts alone.
			c.kernel = strings.Split(strings.Trim(value, `"`), ",")
		}
	}
	return c
}

// args splits at spaces outside of double quotes.
func args(text string) []string {
	quoted := false
	return strings.FieldsFunc(text, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && (r == ' ' || (r >= '\t' && r <= '\r'))
	})
}
