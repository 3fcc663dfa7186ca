// Package suite runs the tests of a package that start a cluster first.
package suite

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// Main is a TestMain: run starts what the tests need, runs them by m.Run, stops everything
// and returns their code. Ctrl-C ends its context. An error of it fails the package: without
// a cluster nothing is tested, which is no reason to skip.
func Main(m *testing.M, name string, run func(context.Context, *testing.M) (int, error)) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, m)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
		code = 1
	}
	os.Exit(code)
}
