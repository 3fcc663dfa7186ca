package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

// The goals for an agent on a node.
const (
	goalScan = 5 * time.Millisecond
	goalRSS  = 20 << 20
	goalIdle = 0.001 // of one core
)

// Measured is what an agent costs.
type Measured struct {
	// Idle is the share of one core that it takes while nothing happens, polling
	// included.
	Idle float64
	// Scan is how long one full scan of all controls takes in the running agent. It
	// waits for nothing, so that it takes no more CPU time than that.
	Scan time.Duration
	// Pass is the CPU time of a full pass: the scan, its report, the renewal of the
	// watches and the collection of garbage.
	Pass time.Duration
	// Scans is how many were measured, Unasked how many there were in the idle time
	// since something changed, and Controls what each judged.
	Scans, Unasked, Controls int
	// RSS and PeakRSS are those after all these scans.
	RSS, PeakRSS uint64
}

// Measure runs agents over a root directory, one that idles and one that scans all
// the time, each for as long as window, and prints what they cost. This machine, "/",
// gets a stand-in for a kubelet, as every node has one.
func Measure(ctx context.Context, c *cluster.Cluster, repo, root string, window time.Duration, out io.Writer) error {
	cfg, err := c.RESTConfig()
	if err != nil {
		return err
	}
	admin, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	if err := gate.Install(ctx, c, repo); err != nil { // for the CRDs
		return err
	}
	if err := Install(ctx, c, repo); err != nil {
		return err
	}
	if root == "/" {
		stop, err := standIn(ctx, repo, c.Config().Dir)
		if err != nil {
			return err
		}
		defer stop()
	}
	o := Options{Cluster: c, Admin: admin, Repo: repo, Root: root}
	log := c.Config().Log
	log("an agent over %s idles for %s", root, window)
	idle, err := observe(ctx, o, window)
	if err != nil {
		return err
	}
	log("an agent over %s scans for %s", root, window)
	o.Flags = []string{"--interval", "1s"}
	busy, err := observe(ctx, o, window)
	if err != nil {
		return err
	}
	more := busy.scans - idle.scans
	if more <= 0 {
		return fmt.Errorf("measuring the agent: %d scans while it was idle, %d while it was busy: too much happens on this machine", idle.scans, busy.scans)
	}
	// Both polled alike. An idle agent scans as well where a file or a process changes,
	// which is not what it takes while nothing happens.
	pass := (busy.cpu - idle.cpu) / time.Duration(more)
	m := Measured{
		Idle: (idle.cpu - pass*time.Duration(idle.scans)).Seconds() / window.Seconds(),
		Pass: pass, Scan: busy.scanning / time.Duration(busy.scans),
		Scans: busy.scans, Unasked: idle.scans, Controls: busy.controls,
		RSS: max(idle.usage.RSS, busy.usage.RSS), PeakRSS: max(idle.usage.PeakRSS, busy.usage.PeakRSS),
	}
	_, err = io.WriteString(out, m.Table())
	return err
}

// Table shows what was measured beside the goals.
func (m Measured) Table() string {
	const mib = 1 << 20
	return fmt.Sprintf(`The agent over %d controls, %d scans, and %d in the idle time.
                      measured      goal
full scan          %8.2f ms  %8.2f ms
a whole pass, CPU  %8.2f ms                with report, watches and garbage
idle, of one core  %9.3f %%  %9.3f %%
resident memory    %7.1f MiB %7.1f MiB   (%.1f MiB at the peak)
node scan=%.2fms pass=%.2fms idle=%.3f%% rss=%.1fMiB
`, m.Controls, m.Scans, m.Unasked,
		ms(m.Scan), ms(goalScan), ms(m.Pass), 100*m.Idle, 100*goalIdle,
		float64(m.RSS)/mib, float64(goalRSS)/mib, float64(m.PeakRSS)/mib,
		ms(m.Scan), ms(m.Pass), 100*m.Idle, float64(m.RSS)/mib)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// observed is what one agent did in a window.
type observed struct {
	cpu, scanning time.Duration
	scans         int
	controls      int
	usage         process.Usage
}

func observe(ctx context.Context, o Options, window time.Duration) (seen observed, err error) {
	o.Node = fmt.Sprintf("bench-%d", time.Now().UnixNano())
	if _, err := Enlist(ctx, o.Admin, o.Node); err != nil {
		return observed{}, err
	}
	a, err := Start(ctx, o)
	if err != nil {
		return observed{}, err
	}
	defer func() { err = errors.Join(err, a.Stop(context.WithoutCancel(ctx))) }()
	// The first report, its delivery and the first look at all directories are over.
	if err := pause(ctx, 5*time.Second); err != nil {
		return observed{}, err
	}
	before, err := a.counts(ctx)
	if err != nil {
		return observed{}, err
	}
	if err := pause(ctx, window); err != nil {
		return observed{}, err
	}
	after, err := a.counts(ctx)
	if err != nil {
		return observed{}, err
	}
	after.usage, err = a.Process().Usage()
	after.cpu -= before.cpu
	after.scanning -= before.scanning
	after.scans -= before.scans
	return after, err
}

// cpu is the CPU time of a process in nanoseconds, which /proc/PID/stat has not: its
// first field for each thread (proc_pid_schedstat).
func cpu(pid int) (time.Duration, error) {
	paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(paths) == 0 {
		return 0, fmt.Errorf("measuring process %d: no schedstat (%w)", pid, err)
	}
	var sum time.Duration
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // a thread that has ended
		}
		first, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("measuring process %d: %w", pid, err)
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}

// counts reads what the agent has done since it started.
func (a *Agent) counts(ctx context.Context) (o observed, err error) {
	if o.cpu, err = cpu(a.Process().PID); err != nil {
		return o, err
	}
	series, err := a.Metrics(ctx)
	for name, value := range series {
		switch {
		case strings.HasPrefix(name, "hardgate_node_scans_total{"):
			o.scans += int(value)
		case strings.HasPrefix(name, "hardgate_node_control_status{"):
			o.controls++
		case name == "hardgate_node_scan_duration_seconds_sum":
			o.scanning = time.Duration(value * float64(time.Second))
		}
	}
	return o, err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
