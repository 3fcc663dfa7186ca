package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/hardgate-dev/hardgate/e2e/assets"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

// Config describes a cluster.
type Config struct {
	Dir      string // the state directory
	Binaries assets.Paths
	// Controllers adds the controller-manager and the scheduler, without which
	// a Deployment makes no pods and a namespace has no default service account.
	Controllers bool
	// Users are those besides the administrator who get a token and a kubeconfig.
	// They have no rights until bound to a role. They are fixed when a state
	// directory is first used.
	Users []string
	// APIServerFlags are added to the API server's. One that takes a list adds to the list.
	APIServerFlags []string
	// EtcdURL is where the API server finds etcd where something stands between the two;
	// empty for etcd itself.
	EtcdURL string
	// Detached lets the cluster outlive this process.
	Detached bool
	// Log tells a person what is being done. It must not be nil.
	Log func(format string, args ...any)
}

// Cluster is a control plane that answers.
type Cluster struct {
	cfg   Config
	ports *process.Ports
	creds credentials
	http  *http.Client
	// started are the programs that this process started.
	started []*process.Running
}

// Start brings up what is not already running and returns when the API server is
// ready. After an error nothing that Start began is left running, unless the
// cluster is detached: then the next Start mends it.
func Start(ctx context.Context, cfg Config) (*Cluster, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("starting a cluster: %w", err)
	}
	cfg.Dir = dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("starting a cluster: %w", err)
	}
	c := &Cluster{cfg: cfg}
	if c.creds, err = ensureCredentials(dir, cfg.users()); err != nil {
		return nil, err
	}
	if c.http, err = c.creds.client(); err != nil {
		return nil, err
	}
	if c.ports, err = process.OpenPorts(dir); err != nil {
		return nil, err
	}
	if err := c.start(ctx); err != nil {
		if !cfg.Detached {
			err = errors.Join(err, c.Stop(context.WithoutCancel(ctx)))
		}
		return nil, err
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) error {
	if err := c.ensure(ctx, c.etcd()); err != nil {
		return err
	}
	if err := c.writeAuditPolicy(); err != nil {
		return err
	}
	if err := c.ensure(ctx, c.apiServer()); err != nil {
		return err
	}
	if err := c.writeKubeconfigs(); err != nil {
		return err
	}
	if !c.cfg.Controllers {
		return nil
	}
	if err := c.ensure(ctx, c.controllerManager()); err != nil {
		return err
	}
	return c.ensure(ctx, c.scheduler())
}

// stopGrace is how long a program may take to end by itself. The API server
// waits for requests under way.
const stopGrace = 10 * time.Second

// Stop ends the programs that Start started, the last first, and waits for them.
func (c *Cluster) Stop(ctx context.Context) error {
	var errs []error
	for _, r := range slices.Backward(c.started) {
		errs = append(errs, r.Stop(ctx, stopGrace))
	}
	c.started = nil
	return errors.Join(errs...)
}

// Down ends every program of a state directory, whoever started it.
func Down(ctx context.Context, dir string) error {
	return process.StopAll(ctx, dir, stopGrace, string(assets.APIServer), string(assets.Etcd))
}

// Kubeconfig is the file with which the administrator, in system:masters,
// reaches the cluster of a state directory.
func Kubeconfig(dir string) string { return filepath.Join(dir, "kubeconfig") }

func (cfg Config) users() []string {
	return append([]string{admin, controllerManagerUser, schedulerUser}, cfg.Users...)
}

// Kubeconfig is the file with which one of the cluster's Users reaches it.
func (c *Cluster) Kubeconfig(user string) string {
	if user == admin {
		return Kubeconfig(c.cfg.Dir)
	}
	return c.pki(strings.TrimPrefix(user, "system:") + ".kubeconfig")
}

// RESTConfig is a client configuration of the administrator, without client-side
// limits: tests are to wait for the server only.
func (c *Cluster) RESTConfig() (*rest.Config, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig(admin))
	if err != nil {
		return nil, fmt.Errorf("reading the cluster's kubeconfig: %w", err)
	}
	cfg.QPS = -1
	return cfg, nil
}

// Config is what the cluster was started with, its directory made absolute.
func (c *Cluster) Config() Config { return c.cfg }

// Ports are those of the state directory, for programs that join the cluster.
func (c *Cluster) Ports() *process.Ports { return c.ports }

// ensure brings up one program of the control plane.
func (c *Cluster) ensure(ctx context.Context, s process.Service) error {
	r, started, err := s.Ensure(ctx)
	if started {
		c.started = append(c.started, r)
	}
	return err
}

func (c *Cluster) path(elem ...string) string {
	return filepath.Join(append([]string{c.cfg.Dir}, elem...)...)
}

func (c *Cluster) url(purpose string) string {
	return "https://127.0.0.1:" + strconv.Itoa(c.ports.Of(purpose))
}
