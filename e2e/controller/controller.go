package controller

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

// Controller is one that runs.
type Controller struct {
	running *process.Running
	ports   *process.Ports
	name    string
}

// The ports of a replica are for these, and named after it.
const (
	metricsPort = "-metrics"
	healthPort  = "-health"
)

const (
	program = "controller"
	grace   = 15 * time.Second
)

// Start builds the controller from the checkout in repo and starts it, or keeps one that
// runs and is up to date. It has the account of manifests/controller, which is
// installed. It returns once it has read the cluster; it leads some moments later.
// flags come after those that this package gives.
func Start(ctx context.Context, c *cluster.Cluster, repo string, flags ...string) (*Controller, error) {
	return StartReplica(ctx, c, repo, program, flags...)
}

// StartReplica is Start for one of several, each of a name of its own.
func StartReplica(ctx context.Context, c *cluster.Cluster, repo, name string, flags ...string) (*Controller, error) {
	binary := filepath.Join(c.Config().Dir, "bin", program)
	if err := os.MkdirAll(filepath.Dir(binary), 0o700); err != nil {
		return nil, fmt.Errorf("starting the controller: %w", err)
	}
	if err := gate.Build(ctx, repo, "./cmd/controller", binary); err != nil {
		return nil, err
	}
	return StartBuilt(ctx, c, Built{Name: name, Path: binary}, flags...)
}

// Built is a controller that was built, and how to start it.
type Built struct {
	Name, Path string
	Env        []string
}

// StartBuilt is StartReplica for one that was built otherwise.
func StartBuilt(ctx context.Context, c *cluster.Cluster, b Built, flags ...string) (*Controller, error) {
	dir, name := c.Config().Dir, b.Name
	kubeconfig, err := writeKubeconfig(ctx, c)
	if err != nil {
		return nil, err
	}
	r := &Controller{ports: c.Ports(), name: name}
	running, started, err := process.Service{
		Ports: r.ports, Purposes: []string{name + metricsPort, name + healthPort},
		Program: func() process.Program {
			return process.Program{
				Name: name, Path: b.Path, Env: b.Env, Dir: dir, Detached: c.Config().Detached, Reads: []string{kubeconfig},
				Args: append([]string{
					"--kubeconfig", kubeconfig, "--namespace", Namespace, "--leader-namespace", LeaderNamespace,
					"--metrics-listen", r.at(metricsPort), "--health-listen", r.at(healthPort),
				}, flags...),
			}
		},
		Ready: func(ctx context.Context) error { return process.Answers(ctx, "http://"+r.at(healthPort)+"/readyz") },
		Limit: 60 * time.Second, Grace: grace, Log: c.Config().Log,
	}.Ensure(ctx)
	if err != nil {
		if started && !c.Config().Detached {
			err = errors.Join(err, running.Stop(context.WithoutCancel(ctx), grace))
		}
		return nil, fmt.Errorf("starting the controller: %w", err)
	}
	r.running = running
	return r, nil
}

func (r *Controller) at(purpose string) string {
	return "127.0.0.1:" + strconv.Itoa(r.ports.Of(r.name+purpose))
}

// Stop ends it with SIGTERM and waits for it.
func (r *Controller) Stop(ctx context.Context) error { return r.running.Stop(ctx, grace) }

// Kill ends it with SIGKILL and waits for it: it ends nothing that it began.
func (r *Controller) Kill(ctx context.Context) error {
	if err := syscall.Kill(r.running.PID, syscall.SIGKILL); err != nil {
		return fmt.Errorf("killing %s: %w", r.name, err)
	}
	return r.running.Stop(ctx, grace)
}

// Process is the controller's process.
func (r *Controller) Process() process.Identity { return r.running.Identity }

// Log is the end of what it logged.
func (r *Controller) Log() string { return r.running.LogTail() }

// Metrics returns its metrics, by name and labels as they are written.
func (r *Controller) Metrics(ctx context.Context) (map[string]float64, error) {
	return process.Metrics(ctx, "http://"+r.at(metricsPort)+"/metrics")
}
