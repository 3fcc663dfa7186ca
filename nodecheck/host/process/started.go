package process

import (
	"strconv"
	"strings"
	"time"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Boot is when the machine booted. A scan that is given it with host.Provide need
// not read /proc/stat, which counts every interrupt and changes all the time.
type Boot time.Time

// ticks of the clock that /proc tells times in, in a second, on every machine.
const ticks = 100

// Started returns when the process started, to the second; the zero time where that
// is not known. A scan that follows another knows it if it was given the time of the
// boot.
func (p *Process) Started(h *host.Host) time.Time {
	boot, ok := boot(h)
	if !ok {
		return time.Time{}
	}
	f, err := h.File(p.Dir() + "/stat")
	if err != nil {
		return time.Time{}
	}
	// The name of the program is in brackets and may have anything in it. The start is
	// the 22nd field, the one after the name is the third.
	const start = 22 - 3
	text := string(f.Data)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) <= start {
		return time.Time{}
	}
	n, err := strconv.ParseInt(fields[start], 10, 64)
	if err != nil || n < 0 {
		return time.Time{}
	}
	return boot.Add(time.Duration(n/ticks) * time.Second)
}

// boot is when the machine booted.
func boot(h *host.Host) (time.Time, bool) {
	if given, ok := host.Provided[Boot](h); ok {
		return time.Time(given), true
	}
	if _, ok := host.Provided[Known](h); ok {
		return time.Time{}, false
	}
	booted, ok := Booted(h)
	return time.Time(booted), ok
}

// Booted reads when the machine booted, for the scans that follow.
func Booted(h *host.Host) (Boot, bool) {
	f, err := h.File("/proc/stat")
	if err != nil {
		return Boot{}, false
	}
	for line := range f.Lines() {
		if value, ok := strings.CutPrefix(line.Text, "btime "); ok {
			n, err := strconv.ParseInt(value, 10, 64)
			return Boot(time.Unix(n, 0)), err == nil
		}
	}
	return Boot{}, false
}
