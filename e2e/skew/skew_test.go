package skew

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The wall clock of a program that runs is set, and what it measures goes on.
func TestClock(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "now")
	if err := Build(t.Context(), "..", "./skew/testdata/now", binary); err != nil {
		t.Fatal(err)
	}
	clock, err := NewClock(filepath.Join(dir, "clock"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env = append(os.Environ(), clock.Env())
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for _, ahead := range []time.Duration{0, 90 * time.Minute, -2 * 365 * 24 * time.Hour, 2 * 365 * 24 * time.Hour, 0} {
		if err := clock.Set(ahead); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintln(in); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() {
			t.Fatal("it has ended")
		}
		var unix, since, sub int64
		var left bool
		if _, err := fmt.Sscan(lines.Text(), &unix, &since, &sub, &left); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		if off := time.Until(time.Unix(unix, 0)) - ahead; off.Abs() > 5*time.Second {
			t.Errorf("set to %s, it is off by %s", ahead, off)
		}
		if since > 60 || sub != since || !left {
			t.Errorf("set to %s, it has run for %d and %d seconds, and a deadline is passed: %t", ahead, since, sub, !left)
		}
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// A version of Go that has another Now is told of, and not built without a clock.
func TestEdit(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(runtime.GOROOT(), "src", "time", "time.go")) //nolint:staticcheck // it is the one that builds
	if err != nil {
		t.Fatal(err)
	}
	if edited, err := edit(string(source)); err != nil || !strings.Contains(edited, adds) {
		t.Error(err)
	}
	for name, other := range map[string]string{
		"another name":  strings.ReplaceAll(string(source), "runtimeNow()", "now()"),
		"another order": strings.ReplaceAll(string(source), "sec, nsec, mono", "mono, sec, nsec"),
		"twice":         string(source) + asks,
	} {
		if _, err := edit(other); err == nil {
			t.Errorf("%s: it is edited", name)
		}
	}
}
