package process

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ticksPerSecond is USER_HZ, the unit of the times in /proc/PID/stat. It is 100
// on every architecture that Kubernetes is built for (proc(5), time(7)).
const ticksPerSecond = 100

// Usage is what a process has used since it started.
type Usage struct {
	CPU     time.Duration // user and system time, in steps of 10 ms
	RSS     uint64        // resident bytes now (VmRSS)
	PeakRSS uint64        // the most it ever was (VmHWM)
}

// stat is the part of /proc/PID/stat that this package reads.
type stat struct {
	state   byte
	ticks   uint64 // utime + stime
	started uint64 // ticks since boot
}

// parseStat reads the one line of /proc/PID/stat (proc_pid_stat(5)). The second
// field is the program's name in parentheses and may itself hold spaces and
// parentheses, hence the search for the last one.
func parseStat(line string) (stat, error) {
	end := strings.LastIndexByte(line, ')')
	if end < 0 {
		return stat{}, errors.New("no program name in parentheses")
	}
	fields := strings.Fields(line[end+1:])
	// fields[0] is field 3 of the manual page; starttime is field 22.
	const first, state, utime, stime, starttime = 3, 3, 14, 15, 22
	if len(fields) <= starttime-first || len(fields[state-first]) != 1 {
		return stat{}, fmt.Errorf("%d fields after the name, want more than %d", len(fields), starttime-first)
	}
	s := stat{state: fields[state-first][0]}
	var user, system uint64
	for _, f := range []struct {
		number int
		to     *uint64
	}{{utime, &user}, {stime, &system}, {starttime, &s.started}} {
		v, err := strconv.ParseUint(fields[f.number-first], 10, 64)
		if err != nil {
			return stat{}, fmt.Errorf("field %d: %w", f.number, err)
		}
		*f.to = v
	}
	s.ticks = user + system
	return s, nil
}

// readStat reads the state of a process. found is false when there is no such
// process, which is an answer and no error.
func readStat(pid int) (s stat, found bool, err error) {
	line, err := os.ReadFile(procFile(pid, "stat"))
	// A process that ends between open and read gives ESRCH.
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return stat{}, false, nil
	}
	if err != nil {
		return stat{}, false, fmt.Errorf("reading the state of process %d: %w", pid, err)
	}
	if s, err = parseStat(string(line)); err != nil {
		return stat{}, false, fmt.Errorf("reading the state of process %d: %w", pid, err)
	}
	return s, true, nil
}

// parseMemory reads VmRSS and VmHWM, given in kB, from /proc/PID/status.
func parseMemory(status []byte) (rss, peak uint64, err error) {
	want := map[string]*uint64{"VmRSS": &rss, "VmHWM": &peak}
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ":")
		to, ok := want[key]
		if !ok {
			continue
		}
		kb, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", key, err)
		}
		*to = kb << 10
		delete(want, key)
	}
	if err := lines.Err(); err != nil {
		return 0, 0, err
	}
	if len(want) != 0 {
		return 0, 0, errors.New("no VmRSS and VmHWM, as of a process that has ended")
	}
	return rss, peak, nil
}

// Usage reads what the process has used so far. It fails when the process has
// ended, or when its pid now belongs to another.
func (id Identity) Usage() (Usage, error) {
	s, found, err := readStat(id.PID)
	if err != nil {
		return Usage{}, err
	}
	if !found || !id.is(s) {
		return Usage{}, fmt.Errorf("measuring process %d: it has ended", id.PID)
	}
	status, err := os.ReadFile(procFile(id.PID, "status"))
	if err != nil {
		return Usage{}, fmt.Errorf("measuring process %d: %w", id.PID, err)
	}
	u := Usage{CPU: time.Duration(s.ticks) * time.Second / ticksPerSecond}
	if u.RSS, u.PeakRSS, err = parseMemory(status); err != nil {
		return Usage{}, fmt.Errorf("measuring process %d: %w", id.PID, err)
	}
	return u, nil
}

func procFile(pid int, name string) string {
	return "/proc/" + strconv.Itoa(pid) + "/" + name
}
