package drills

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

// The replicas of the webhook.
var names = []string{"webhook-1", "webhook-2"}

// drain is how long a replica that is told to end still takes requests. In the manifests it
// is 10 s: here endpoints are found out of sooner.
const drain = 3 * time.Second

// grace is how long a replica may take to end.
const grace = 20 * time.Second

// replica is one process of the webhook, with the flags of the manifests.
type replica struct {
	running *process.Running
	name    string
}

// startReplica starts one, or keeps one that runs, and makes it an endpoint.
func startReplica(ctx context.Context, name string) (*replica, error) {
	c := lab.cluster
	dir, ports := c.Config().Dir, c.Ports()
	at := func(purpose string) string { return "127.0.0.1:" + strconv.Itoa(ports.Of(name+purpose)) }
	probe := func() string { return "http://" + at("-health") + "/readyz" }
	running, _, err := process.Service{
		Ports: ports, Purposes: []string{name, name + "-metrics", name + "-health"},
		Program: func() process.Program {
			return process.Program{Name: name, Path: lab.webhook, Dir: dir, Args: []string{
				"--kubeconfig", c.Kubeconfig(gate.User), "--cert-dir", filepath.Join(dir, "webhook-certs"), "--drain", drain.String(),
				"--listen", at(""), "--metrics-listen", at("-metrics"), "--health-listen", at("-health"),
			}}
		},
		Ready: func(ctx context.Context) error { return process.Answers(ctx, probe()) },
		Limit: 90 * time.Second, Grace: grace, Log: c.Config().Log,
	}.Ensure(ctx)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	lab.service.add(ctx, name, at(""), probe())
	return &replica{running, name}, nil
}

// both makes sure that both replicas run, now and when the test has ended.
func both(t *testing.T) map[string]*replica {
	t.Helper()
	start := func(ctx context.Context) map[string]*replica {
		all := map[string]*replica{}
		for _, name := range names {
			r, err := startReplica(ctx, name)
			if err != nil {
				t.Fatal(err)
			}
			all[name] = r
		}
		return all
	}
	t.Cleanup(func() { start(context.WithoutCancel(t.Context())) })
	return start(t.Context())
}

// kill ends it with SIGKILL: it finishes nothing.
func (r *replica) kill(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(r.running.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := r.running.Stop(t.Context(), grace); err != nil {
		t.Fatal(err)
	}
}

// runs is whether it has not ended.
func (r *replica) runs(t *testing.T) bool {
	t.Helper()
	running, err := r.running.Running()
	if err != nil {
		t.Fatal(err)
	}
	return running
}

// says is whether it has logged some words.
func (r *replica) says(t *testing.T, words string) bool {
	t.Helper()
	return strings.Contains(logOf(t, r.name), words)
}
