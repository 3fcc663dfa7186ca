package process

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	// The fields after the name, from state (3) to starttime (22).
	const rest = " S 1 2 3 4 5 6 7 8 9 10 120 34 0 0 20 0 7 0 987654 1000 200"
	tests := map[string]struct {
		line    string
		want    stat
		wantErr string
	}{
		"plain":             {line: "42 (etcd)" + rest, want: stat{state: 'S', ticks: 154, started: 987654}},
		"name with a space": {line: "42 (a b)" + rest, want: stat{state: 'S', ticks: 154, started: 987654}},
		"name like a field": {line: "42 (x) R 1)" + rest, want: stat{state: 'S', ticks: 154, started: 987654}},
		"no name":           {line: "42 etcd S 1", wantErr: "no program name"},
		"cut off":           {line: "42 (etcd) S 1 2 3", wantErr: "fields after the name"},
		"not a number":      {line: strings.Replace("42 (etcd)"+rest, "987654", "x", 1), wantErr: "field 22"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseStat(tc.line)
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Fatalf("error %v, want one with %q", err, tc.wantErr)
				}
				return
			}
			if err != nil || got != tc.want {
				t.Errorf("parseStat = %+v, %v, want %+v", got, err, tc.want)
			}
		})
	}
}

func TestUsageOfThisProcess(t *testing.T) {
	id, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	for spin := time.Now(); time.Since(spin) < 50*time.Millisecond; {
		_ = strings.Repeat("x", 1000)
	}
	u, err := id.Usage()
	if err != nil {
		t.Fatal(err)
	}
	if u.CPU <= 0 || u.RSS == 0 || u.PeakRSS < u.RSS {
		t.Errorf("usage %+v: want CPU time, and a peak at least as high as now", u)
	}
	id.Started++
	if _, err := id.Usage(); err == nil {
		t.Error("the usage of another process with this pid was taken for ours")
	}
}

func TestPIDFile(t *testing.T) {
	tests := map[string]struct {
		content   string
		want      pidFile
		wantFound bool
		wantErr   bool
	}{
		"good":             {content: "42 987654 abc\n", want: pidFile{Identity{PID: 42, Started: 987654}, "abc"}, wantFound: true},
		"only a pid":       {content: "42\n", wantErr: true},
		"empty":            {content: "", wantErr: true},
		"init is not ours": {content: "1 5 abc\n", wantErr: true},
		"every process":    {content: "-1 5 abc\n", wantErr: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.pid")
			if err := os.WriteFile(path, []byte(tc.content), 0o600); err != nil {
				t.Fatal(err)
			}
			got, found, err := load(path)
			if (err != nil) != tc.wantErr || found != tc.wantFound {
				t.Fatalf("load = %v, %v, %v", got, found, err)
			}
			if found && got != tc.want {
				t.Errorf("load = %v, want %v", got, tc.want)
			}
		})
	}
	if _, found, err := load(filepath.Join(t.TempDir(), "none.pid")); found || err != nil {
		t.Errorf("a missing pid file gives %v, %v; want not found and no error", found, err)
	}
}

func sleeper(t *testing.T, dir, name, script string) *Running {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Program{Name: name, Path: sh, Args: []string{"-c", script}, Dir: dir}.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if running, _ := r.Running(); running {
			t.Errorf("%s is still running", name)
		}
	})
	return r
}

func TestStartFindStop(t *testing.T) {
	dir := t.TempDir()
	r := sleeper(t, dir, "one", "exec sleep 60")
	found, ok, err := Find(dir, "one")
	if err != nil || !ok || found.Identity != r.Identity {
		t.Fatalf("Find = %v, %v, %v, want %v", found, ok, err, r.Identity)
	}
	if err := r.Stop(t.Context(), 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := Find(dir, "one"); ok || err != nil {
		t.Errorf("after Stop, Find gives %v, %v", ok, err)
	}
	if err := r.Stop(t.Context(), time.Second); err != nil {
		t.Errorf("stopping twice: %v", err)
	}
}

func TestStopKillsWhatIgnoresTheSignal(t *testing.T) {
	r := sleeper(t, t.TempDir(), "deaf", "trap '' TERM; echo deaf; while :; do sleep 1; done")
	heard := func() bool { return strings.Contains(r.LogTail(), "deaf") }
	for deadline := time.Now().Add(5 * time.Second); !heard() && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	if err := r.Stop(t.Context(), 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
}

// A recycled pid: the file names a live pid that started at another time.
func TestStopAllLeavesARecycledPIDAlone(t *testing.T) {
	dir := t.TempDir()
	r := sleeper(t, dir, "bystander", "exec sleep 60")
	stale := pidFile{Identity{PID: r.PID, Started: r.Started - 1}, "abc"}
	if err := stale.save(pidPath(dir, "gone")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(pidPath(dir, "bystander")); err != nil {
		t.Fatal(err)
	}
	if err := StopAll(t.Context(), dir, time.Second); err != nil {
		t.Fatal(err)
	}
	if running, err := r.Running(); err != nil || !running {
		t.Errorf("the process with the same pid was ended (%v)", err)
	}
	if err := r.Stop(t.Context(), 5*time.Second); err != nil {
		t.Fatal(err)
	}
}

func TestStopAllEndsWhatOthersDependOnLast(t *testing.T) {
	dir := t.TempDir()
	ends := filepath.Join(dir, "ends")
	for _, name := range []string{"server", "client", "store"} {
		r := sleeper(t, dir, name, "trap 'echo "+name+" >>"+ends+"; exit' TERM; echo up; while :; do sleep 0.01; done")
		if err := r.Await(t.Context(), 5*time.Second, func(context.Context) error {
			if !strings.Contains(r.LogTail(), "up") {
				return errors.New("not up")
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := StopAll(t.Context(), dir, 5*time.Second, "server", "store"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(ends)
	if want := "client\nserver\nstore\n"; err != nil || string(got) != want {
		t.Errorf("ended in the order %q (%v), want %q", got, err, want)
	}
}

func TestAwaitTellsWhyAProgramEnded(t *testing.T) {
	r := sleeper(t, t.TempDir(), "broken", "echo address already in use; exit 1")
	err := r.Await(t.Context(), 10*time.Second, func(context.Context) error { return errors.New("not yet") })
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("Await = %v, want the end of the log", err)
	}
}

func TestIsNoticesAChangedDefinition(t *testing.T) {
	dir := t.TempDir()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "config")
	write := func(content string) {
		if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	p := Program{Name: "p", Path: sh, Args: []string{"-c", "exec sleep 60"}, Dir: dir, Reads: []string{config}}
	if _, err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := StopAll(context.WithoutCancel(t.Context()), dir, 5*time.Second); err != nil {
			t.Error(err)
		}
	})
	r, found, err := Find(dir, "p")
	if err != nil || !found {
		t.Fatal(found, err)
	}
	is := func(p Program, want bool, why string) {
		t.Helper()
		if got, err := r.Is(p); err != nil || got != want {
			t.Errorf("%s: Is = %v, %v, want %v", why, got, err, want)
		}
	}
	is(p, true, "unchanged")
	other := p
	other.Args = []string{"-c", "exec sleep 61"}
	is(other, false, "other arguments")
	other = p
	other.Env = []string{"A=b"}
	is(other, false, "other environment")
	other = p
	other.Path = filepath.Join(dir, "sh")
	if err := os.Symlink(os.Args[0], other.Path); err != nil {
		t.Fatal(err)
	}
	is(other, false, "other binary")
	write("two")
	is(p, false, "a file has changed")
}
