package kubelet

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// mountOver mounts an empty filesystem on a directory of the node until release is called.
func mountOver(t *testing.T, dir string) (release func() error) {
	t.Helper()
	if err := unix.Mount("none", dir, "tmpfs", 0, "mode=755"); err != nil {
		t.Fatal(err)
	}
	mounted := true
	release = func() error {
		if !mounted {
			return nil
		}
		mounted = false
		return unix.Unmount(dir, 0)
	}
	t.Cleanup(func() {
		if err := release(); err != nil {
			t.Error(err)
		}
	})
	return release
}

// startsAgain asserts that the agent does not read on what the node has let go of.
func (a *agent) startsAgain(t *testing.T, release func() error) {
	t.Helper()
	pods := lab.admin.CoreV1().Pods(agentNamespace)
	restarts := func(ctx context.Context) (int32, error) {
		p, err := pods.Get(ctx, agentName, metav1.GetOptions{})
		if err != nil {
			return 0, err
		}
		for _, s := range p.Status.ContainerStatuses {
			if s.State.Running != nil {
				return s.RestartCount, nil
			}
		}
		return 0, errors.New("it does not run")
	}
	if n, err := restarts(t.Context()); err != nil || n != 0 {
		t.Fatalf("started again %d times before anything happened: %v", n, err)
	}
	begin := time.Now()
	if err := release(); err != nil {
		t.Fatal(err)
	}
	await(t, a.kubelet, "the agent to start again", 30*time.Second, func(ctx context.Context) error {
		n, err := restarts(ctx)
		if err == nil && n != 1 {
			err = fmt.Errorf("it was started again %d times", n)
		}
		return err
	})
	t.Logf("it ran again after %s", time.Since(begin).Round(time.Millisecond))
}
