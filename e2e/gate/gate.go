package gate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/pki"
	"github.com/hardgate-dev/hardgate/e2e/process"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// User is whom the webhook is to the API server. The cluster must be started with
// it among its Users.
const User = "hardgate-webhook"

// What the webhook's ports are for.
const (
	name        = "webhook"
	metricsPort = "webhook-metrics"
	healthPort  = "webhook-health"
	pprofPort   = "webhook-pprof"
)

// Gate is a webhook that is ready.
type Gate struct {
	cluster *cluster.Cluster
	ca      []byte
	// running was started by this process, or found.
	running *process.Running
	own     bool
}

// Start builds the webhook from the checkout in repo, installs what it needs in
// the cluster and starts it, or keeps one that is running and up to date. The API
// server does not ask it before Register.
func Start(ctx context.Context, c *cluster.Cluster, repo string) (*Gate, error) {
	return start(ctx, c, repo)
}

// StartProfiled is Start, and the webhook serves profiles of itself: see PprofURL.
func StartProfiled(ctx context.Context, c *cluster.Cluster, repo string) (*Gate, error) {
	return start(ctx, c, repo, listener{flag: "--pprof-listen", purpose: pprofPort})
}

// listener is a flag that makes the webhook listen, and what for.
type listener struct{ flag, purpose string }

func start(ctx context.Context, c *cluster.Cluster, repo string, more ...listener) (*Gate, error) {
	g := &Gate{cluster: c}
	dir := c.Config().Dir
	binary := filepath.Join(dir, "bin", name)
	if err := Build(ctx, repo, "./cmd/webhook", binary); err != nil {
		return nil, err
	}
	if err := Install(ctx, c, repo); err != nil {
		return nil, err
	}
	var err error
	if g.ca, err = ensureCertificate(g.CertDir()); err != nil {
		return nil, err
	}
	ports := c.Ports()
	at := func(purpose string) string { return "127.0.0.1:" + strconv.Itoa(ports.Of(purpose)) }
	listeners := append([]listener{{"--listen", name}, {"--metrics-listen", metricsPort}, {"--health-listen", healthPort}}, more...)
	var purposes []string
	for _, l := range listeners {
		purposes = append(purposes, l.purpose)
	}
	g.running, g.own, err = process.Service{
		Ports: ports, Purposes: purposes,
		Program: func() process.Program {
			args := []string{
				"--kubeconfig", c.Kubeconfig(User),
				"--cert-dir", g.CertDir(),
				// No Service stands before it whose endpoints would have to notice.
				"--drain", "0s",
			}
			for _, l := range listeners {
				args = append(args, l.flag, at(l.purpose))
			}
			return process.Program{
				Name: name, Path: binary, Dir: dir, Detached: c.Config().Detached, Args: args,
				Reads: []string{c.Kubeconfig(User), filepath.Join(g.CertDir(), "tls.crt")},
			}
		},
		Ready: func(ctx context.Context) error { return process.Answers(ctx, "http://"+at(healthPort)+"/readyz") },
		Limit: 60 * time.Second, Grace: 10 * time.Second,
		Log: c.Config().Log,
	}.Ensure(ctx)
	if err != nil {
		if g.own && !c.Config().Detached {
			err = errors.Join(err, g.Stop(context.WithoutCancel(ctx)))
		}
		return nil, fmt.Errorf("starting the webhook: %w", err)
	}
	return g, nil
}

// Stop ends the webhook if Start started it.
func (g *Gate) Stop(ctx context.Context) error {
	if !g.own {
		return nil
	}
	g.own = false
	return g.running.Stop(ctx, 10*time.Second)
}

// Process is the webhook's process.
func (g *Gate) Process() process.Identity { return g.running.Identity }

// CertDir holds the webhook's tls.crt and tls.key, and ca.crt to check them with.
func (g *Gate) CertDir() string { return certDir(g.cluster.Config().Dir) }

// CA is the authority of the webhook's certificate, in PEM.
func (g *Gate) CA() []byte { return g.ca }

// URL is the base of the webhook's paths.
func (g *Gate) URL() string { return baseURL(g.cluster.Ports()) }

// WorkloadURL is where the API server sends workloads.
func (g *Gate) WorkloadURL() string { return g.URL() + registration.WorkloadPath }

// MetricsURL is where the webhook's metrics are.
func (g *Gate) MetricsURL() string {
	return fmt.Sprintf("http://127.0.0.1:%d/metrics", g.cluster.Ports().Of(metricsPort))
}

// PprofURL is the base of the profiles of a webhook that StartProfiled started.
func (g *Gate) PprofURL() string {
	return fmt.Sprintf("http://127.0.0.1:%d/debug/pprof", g.cluster.Ports().Of(pprofPort))
}

// ensureCertificate makes an authority and a serving certificate on first use and
// returns the authority's certificate. ca.crt is written last: where it stands, all
// stand.
func ensureCertificate(dir string) ([]byte, error) {
	if pem, err := os.ReadFile(filepath.Join(dir, "ca.crt")); err == nil {
		return pem, nil
	}
	ca, err := pki.NewAuthority("hardgate-webhook")
	if err != nil {
		return nil, err
	}
	pair, err := ca.Loopback("hardgate-webhook")
	if err != nil {
		return nil, err
	}
	if err := pki.WriteServing(dir, ca, pair); err != nil {
		return nil, err
	}
	return ca.CertPEM, nil
}
