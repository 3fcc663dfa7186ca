package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/hardgate-dev/hardgate/e2e/gate"
)

// The goals for hardgate node as a whole process.
const goalCommand = 40 * time.Millisecond

// runs is how often the command is measured.
const runs = 25

// MeasureCommand runs "hardgate node" over a root directory again and again, and
// prints what the whole process costs: the least, the median and the most. It prints
// no memory: the kernel counts what this process had at the fork to the child's peak.
func MeasureCommand(ctx context.Context, repo, root string, out io.Writer) error {
	dir, err := os.MkdirTemp("", "hardgate-bench-")
	if err != nil {
		return fmt.Errorf("measuring hardgate node: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary := filepath.Join(dir, "hardgate")
	if err := gate.Build(ctx, repo, "./cmd/hardgate", binary); err != nil {
		return err
	}
	var cpu []time.Duration
	for range runs {
		cmd := exec.CommandContext(ctx, binary, "node", "--root", root)
		var exit *exec.ExitError
		if err := cmd.Run(); err != nil && (!errors.As(err, &exit) || !exit.Exited()) {
			return fmt.Errorf("measuring hardgate node: %w", err)
		}
		usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		if !ok {
			return errors.New("measuring hardgate node: the system does not tell what a process used")
		}
		cpu = append(cpu, time.Duration(usage.Utime.Nano()+usage.Stime.Nano()))
	}
	slices.Sort(cpu)
	_, err = fmt.Fprintf(out, `
hardgate node as a whole process, %d runs.
                      measured      goal
CPU                %8.1f ms  %8.1f ms   (%.1f to %.1f ms)
node command=%.1fms
`, runs, ms(cpu[runs/2]), ms(goalCommand), ms(cpu[0]), ms(cpu[runs-1]), ms(cpu[runs/2]))
	return err
}
