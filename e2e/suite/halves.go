package suite

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// halfEnv is set in the processes that run one half of a package's tests.
const halfEnv = "HARDGATE_TEST_HALF"

// Halves is Main for a package whose tests wait more than they work: those whose names a
// regular expression matches run in a process of their own, with a cluster of their own,
// and at the same time as all others in another. Where tests are chosen by flags, or
// profiles are asked for, all run here.
func Halves(m *testing.M, name, first string, run func(context.Context, *testing.M) (int, error)) {
	flag.Parse()
	if os.Getenv(halfEnv) != "" || !whole() {
		Main(m, name, run)
		return
	}
	Main(m, name, func(ctx context.Context, _ *testing.M) (int, error) {
		return both(ctx, [2][]string{{"-test.run=" + first}, {"-test.skip=" + first}})
	})
}

// whole is whether the flags leave it to this package which tests run how.
func whole() bool {
	for _, name := range []string{"run", "skip", "list", "bench", "fuzz", "coverprofile", "cpuprofile", "memprofile", "blockprofile", "mutexprofile", "trace"} {
		if f := flag.Lookup("test." + name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}

// both runs this program twice at the same time. What the first prints is seen at once,
// what the second prints after that.
func both(ctx context.Context, more [2][]string) (code int, err error) {
	program, err := os.Executable()
	if err != nil {
		return 0, fmt.Errorf("running the tests in two halves: %w", err)
	}
	var later bytes.Buffer
	out := [2]io.Writer{os.Stdout, &later}
	var errs [2]error
	var all sync.WaitGroup
	for i := range more {
		all.Go(func() {
			cmd := exec.CommandContext(ctx, program, append(ownArgs(os.Args[1:]), more[i]...)...)
			cmd.Stdout, cmd.Stderr = out[i], out[i]
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", halfEnv, i+1))
			// It has clusters to stop.
			cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
			cmd.WaitDelay = time.Minute
			errs[i] = cmd.Run()
		})
	}
	all.Wait()
	if _, err := later.WriteTo(os.Stdout); err != nil {
		return 0, err
	}
	for i, err := range errs {
		var exit *exec.ExitError
		switch {
		case errors.As(err, &exit):
			code = 1
		case err != nil:
			return 0, fmt.Errorf("running the tests in two halves: %d: %w", i+1, err)
		}
	}
	return code, nil
}

// ownArgs are the arguments without those by which go test hands over a file to write: two
// would write it.
func ownArgs(args []string) (own []string) {
	for _, a := range args {
		if !strings.HasPrefix(a, "-test.testlogfile=") && !strings.HasPrefix(a, "-test.gocoverdir=") {
			own = append(own, a)
		}
	}
	return own
}
