package systemd

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// InitPath is where the kernel names the first process.
const InitPath = "/proc/1/comm"

// OtherInit names the first process of a running node where that is not systemd, so
// that no unit is ever started. It is empty where systemd runs, and of a tree without
// processes, which may come up with it. /run/systemd/system is what sd_booted(3) asks.
func OtherInit(h *host.Host) (string, error) {
	f, err := h.File(InitPath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	}
	name := strings.TrimSpace(string(f.Data))
	if name == "systemd" {
		return "", nil
	}
	booted, err := h.Exists("/run/systemd/system")
	if err != nil || booted {
		return "", err
	}
	return name, nil
}
