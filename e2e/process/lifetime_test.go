package process

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"
)

// parentDir makes the test binary a parent that starts a program and waits to be
// killed; parentDetached says which kind.
const (
	parentDir      = "HARDGATE_TEST_PARENT_DIR"
	parentDetached = "HARDGATE_TEST_PARENT_DETACHED"
)

func TestMain(m *testing.M) {
	dir := os.Getenv(parentDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	p := Program{Name: "child", Path: "/bin/sh", Args: []string{"-c", "exec sleep 60"}, Dir: dir, Detached: os.Getenv(parentDetached) != ""}
	if _, err := p.Start(context.Background()); err != nil {
		os.Exit(1)
	}
	select {}
}

func TestLifetime(t *testing.T) {
	for name, detached := range map[string]string{"tied": "", "detached": "yes"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			parent := exec.CommandContext(t.Context(), self)
			parent.Env = append(os.Environ(), parentDir+"="+dir, parentDetached+"="+detached)
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			child := await(t, dir, "child")
			if err := parent.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := parent.Wait(); err == nil {
				t.Error("the parent was not killed")
			}
			err = child.wait(t.Context(), time.Second)
			if detached == "" && err != nil {
				t.Errorf("the child outlives its parent: %v", err)
			}
			if detached != "" {
				if !errors.Is(err, errStillRunning) {
					t.Errorf("the child did not outlive its parent: %v", err)
				}
				if err := child.Stop(t.Context(), 5*time.Second); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func await(t *testing.T, dir, name string) *Running {
	t.Helper()
	for range 500 {
		r, found, err := Find(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		if found {
			return r
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s has not started", name)
	return nil
}
