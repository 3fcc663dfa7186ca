package process

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func TestPorts(t *testing.T) {
	dir := t.TempDir()
	p, err := OpenPorts(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Choose([]string{"a", "b"}); err != nil {
		t.Fatal(err)
	}
	a, b := p.Of("a"), p.Of("b")
	if a == 0 || b == 0 || a == b {
		t.Fatalf("ports %d and %d", a, b)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:"+strconv.Itoa(b))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if p, err = OpenPorts(dir); err != nil {
		t.Fatal(err)
	}
	if err := p.Choose([]string{"a", "b"}); err != nil {
		t.Fatal(err)
	}
	if p.Of("a") != a {
		t.Errorf("the free port %d was not kept: %d", a, p.Of("a"))
	}
	if p.Of("b") == b {
		t.Errorf("the port %d was kept though somebody listens on it", b)
	}
}

func TestEnsure(t *testing.T) {
	dir := t.TempDir()
	ports, err := OpenPorts(dir)
	if err != nil {
		t.Fatal(err)
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	script := "exec sleep 60"
	ready := error(nil)
	s := Service{
		Ports: ports, Purposes: []string{"p"},
		Program: func() Program {
			return Program{Name: "p", Path: sh, Args: []string{"-c", script, strconv.Itoa(ports.Of("p"))}, Dir: dir}
		},
		Ready: func(context.Context) error { return ready },
		Limit: 5 * time.Second, Grace: 5 * time.Second, Log: t.Logf,
	}
	t.Cleanup(func() {
		if err := StopAll(context.WithoutCancel(t.Context()), dir, 5*time.Second); err != nil {
			t.Error(err)
		}
	})
	ensure := func(wantStarted bool, why string) *Running {
		t.Helper()
		r, started, err := s.Ensure(t.Context())
		if err != nil || started != wantStarted {
			t.Fatalf("%s: started %v, %v", why, started, err)
		}
		return r
	}
	first := ensure(true, "nothing runs")
	again := ensure(false, "it runs")
	if again.Identity != first.Identity {
		t.Errorf("kept %v, want %v", again.Identity, first.Identity)
	}
	if first.Began.IsZero() || !again.Began.IsZero() {
		t.Errorf("started at %v, and found at %v", first.Began, again.Began)
	}
	trapped := filepath.Join(dir, "trapped")
	script = "trap 'kill $!; sleep 0.3; exit' TERM; sleep 61 & touch " + trapped + "; wait"
	ensure(true, "the definition has changed")
	if running, err := first.Running(); err != nil || running {
		t.Errorf("the outdated program still runs (%v)", err)
	}
	for _, err := os.Stat(trapped); err != nil; _, err = os.Stat(trapped) {
		time.Sleep(time.Millisecond)
	}
	replaced := time.Now()
	script = "exec sleep 62"
	second := ensure(true, "the definition has changed, and the old program ends slowly")
	if took := second.Began.Sub(replaced); took < 300*time.Millisecond {
		t.Errorf("started after %s: before the old program had ended", took)
	}
	if err := second.Stop(t.Context(), 5*time.Second); err != nil {
		t.Fatal(err)
	}
	ensure(true, "it has ended")

	if _, _, err := (Service{
		Ports: ports, Program: func() Program {
			return Program{Name: "never", Path: sh, Args: []string{"-c", "exec sleep 60"}, Dir: dir}
		},
		Ready: func(context.Context) error { return errors.New("not yet") },
		Limit: 200 * time.Millisecond, Log: t.Logf,
	}).Ensure(t.Context()); err == nil {
		t.Error("a program that never becomes ready was accepted")
	}
}
