package drills

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/e2e/agent"
	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/assets"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/process"
	"github.com/hardgate-dev/hardgate/e2e/repo"
	"github.com/hardgate-dev/hardgate/e2e/suite"
)

// lab is one cluster for the drills of this process: they run one after the other, and each
// leaves things as it found them.
var lab struct {
	repo    string
	webhook string // the binary
	ca      []byte
	cluster *cluster.Cluster
	// started are clusters of the same directory: each has started what it found ended.
	started []*cluster.Cluster
	etcd    *wire
	service *service
	config  *rest.Config
	admin   kubernetes.Interface
	dynamic dynamic.Interface
	client  *apply.Client
}

// half are the drills that run in a process and with a cluster of their own, beside all others:
// most of what they do is wait. Each half takes about as long as the other.
const half = "^(TestEtcdIsSlow|TestLeaseIsTaken|TestPoliciesAreDeleted|TestReplicaIsKilled|TestReplicaEnds)$"

func TestMain(m *testing.M) { suite.Halves(m, "drills", half, run) }

func run(ctx context.Context, m *testing.M) (code int, err error) {
	if lab.repo, err = repo.Root(); err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "hardgate-drills-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	relaying, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	if lab.etcd, err = lay(relaying, func() (string, error) {
		ports, err := process.OpenPorts(dir)
		if err != nil {
			return "", err
		}
		return "127.0.0.1:" + strconv.Itoa(ports.Of(cluster.EtcdPort)), nil
	}); err != nil {
		return 0, err
	}
	if lab.service, err = serve(relaying); err != nil {
		return 0, err
	}
	if err := startCluster(ctx, dir); err != nil {
		return 0, err
	}
	defer func() {
		for _, c := range lab.started {
			err = errors.Join(err, c.Stop(context.WithoutCancel(ctx)))
		}
	}()
	if err := install(ctx); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, stopReplicas(context.WithoutCancel(ctx))) }()
	return m.Run(), nil
}

// startCluster starts what does not run of the cluster, the first time all of it.
func startCluster(ctx context.Context, dir string) error {
	log := func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	binaries, err := assets.Get(ctx, assets.Config{Repo: lab.repo, Log: log}, assets.Minimal())
	if err != nil {
		return err
	}
	c, err := cluster.Start(ctx, cluster.Config{
		Dir: dir, Binaries: binaries, Users: []string{gate.User}, EtcdURL: lab.etcd.url(), Log: log,
	})
	if err != nil {
		return err
	}
	lab.cluster = c
	lab.started = append([]*cluster.Cluster{c}, lab.started...)
	if lab.config, err = c.RESTConfig(); err != nil {
		return err
	}
	lab.config.WarningHandler = rest.NoWarnings{}
	if lab.admin, err = kubernetes.NewForConfig(lab.config); err != nil {
		return err
	}
	if lab.dynamic, err = dynamic.NewForConfig(lab.config); err != nil {
		return err
	}
	lab.client, err = apply.NewClient(lab.config)
	return err
}

// install builds the webhook, starts its replicas and makes the API server ask them.
func install(ctx context.Context) (err error) {
	dir := lab.cluster.Config().Dir
	lab.webhook = filepath.Join(dir, "bin", "webhook")
	if err := gate.Build(ctx, lab.repo, "./cmd/webhook", lab.webhook); err != nil {
		return err
	}
	if _, lab.ca, err = gate.Ahead(dir); err != nil {
		return err
	}
	if err := errors.Join(
		gate.Install(ctx, lab.cluster, lab.repo), agent.Install(ctx, lab.cluster, lab.repo), controller.Install(ctx, lab.cluster, lab.repo),
	); err != nil {
		return err
	}
	for _, name := range names {
		if _, err := startReplica(ctx, name); err != nil {
			return err
		}
	}
	return register(ctx)
}

func stopReplicas(ctx context.Context) (err error) {
	for _, name := range names {
		r, found, findErr := process.Find(lab.cluster.Config().Dir, name)
		err = errors.Join(err, findErr)
		if found {
			err = errors.Join(err, r.Stop(ctx, grace))
		}
	}
	return err
}
