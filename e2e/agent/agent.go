package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

// Options say which agent to run.
type Options struct {
	Cluster *cluster.Cluster
	Admin   kubernetes.Interface
	Repo    string
	// Node is one that Enlist made.
	Node string
	// Root is the directory that plays the node's root.
	Root string
	// Server is the API server's URL; the cluster's own without it.
	Server string
	// Flags come after those that this package gives.
	Flags []string
}

// Agent is one that runs.
type Agent struct {
	running *process.Running
	metrics string
	token   string
}

// Start builds the agent and runs it for a node. It returns once the first scan is
// done. Any number of agents may run, one for each node.
func Start(ctx context.Context, o Options) (*Agent, error) {
	dir := o.Cluster.Config().Dir
	binary := filepath.Join(dir, "bin", "nodecheck")
	if err := os.MkdirAll(filepath.Dir(binary), 0o700); err != nil {
		return nil, fmt.Errorf("starting an agent: %w", err)
	}
	if err := gate.Build(ctx, o.Repo, "./cmd/nodecheck", binary); err != nil {
		return nil, err
	}
	token := filepath.Join(dir, "nodecheck-"+o.Node+".token")
	if err := writeToken(ctx, o.Admin, o.Node, token); err != nil {
		return nil, err
	}
	cfg, err := o.Cluster.RESTConfig()
	if err != nil {
		return nil, err
	}
	if o.Server == "" {
		o.Server = cfg.Host
	}
	name := "nodecheck-" + o.Node
	ports := o.Cluster.Ports()
	purposes := []string{name + "-health", name + "-metrics"}
	at := func(purpose string) string { return "127.0.0.1:" + strconv.Itoa(ports.Of(purpose)) }
	a := &Agent{}
	r, started, err := process.Service{
		Ports: ports, Purposes: purposes,
		Program: func() process.Program {
			return process.Program{
				Name: name, Path: binary, Dir: dir,
				Args: append([]string{
					"--root", o.Root, "--node-name", o.Node, "--namespace", Namespace,
					"--api-server", o.Server, "--token-file", token, "--ca-file", filepath.Join(dir, "pki", "ca.crt"),
					"--health-listen", at(purposes[0]), "--metrics-listen", at(purposes[1]),
					"--configz-port", "0",
				}, o.Flags...),
			}
		},
		Ready: func(ctx context.Context) error { return process.Answers(ctx, "http://"+at(purposes[0])+"/readyz") },
		Limit: 30 * time.Second, Grace: grace, Log: o.Cluster.Config().Log,
	}.Ensure(ctx)
	if err != nil {
		if started {
			err = errors.Join(err, r.Stop(context.WithoutCancel(ctx), grace))
		}
		return nil, fmt.Errorf("starting the agent of %s: %w", o.Node, err)
	}
	a.running, a.metrics, a.token = r, at(purposes[1]), token
	return a, nil
}

const grace = 10 * time.Second

// Stop ends the agent with SIGTERM and waits for it.
func (a *Agent) Stop(ctx context.Context) error { return a.running.Stop(ctx, grace) }

// Process is the agent's process.
func (a *Agent) Process() process.Identity { return a.running.Identity }

// Log is the end of what the agent logged.
func (a *Agent) Log() string { return a.running.LogTail() }

// Metrics returns the agent's metrics, by name and labels as they are written.
func (a *Agent) Metrics(ctx context.Context) (map[string]float64, error) {
	return process.Metrics(ctx, "http://"+a.metrics+"/metrics")
}

// Token is a token like the agent's own.
func (a *Agent) Token() (string, error) {
	text, err := os.ReadFile(a.token)
	if err != nil {
		return "", fmt.Errorf("reading the agent's token: %w", err)
	}
	return string(text), nil
}
