package rollout

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"k8s.io/client-go/kubernetes"

	"github.com/hardgate-dev/hardgate/e2e/agent"
	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/assets"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/repo"
	"github.com/hardgate-dev/hardgate/e2e/suite"
)

var lab struct {
	repo    string
	cluster *cluster.Cluster
	gate    *gate.Gate
	admin   kubernetes.Interface
	client  *apply.Client
}

func TestMain(m *testing.M) { suite.Main(m, "rollout", run) }

func run(ctx context.Context, m *testing.M) (code int, err error) {
	log := func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	if lab.repo, err = repo.Root(); err != nil {
		return 0, err
	}
	binaries, err := assets.Get(ctx, assets.Config{Repo: lab.repo, Log: log}, assets.Minimal())
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "hardgate-rollout-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	lab.cluster, err = cluster.Start(ctx, cluster.Config{Dir: dir, Binaries: binaries, Users: []string{gate.User}, Log: log})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, lab.cluster.Stop(context.WithoutCancel(ctx))) }()
	if lab.gate, err = gate.Start(ctx, lab.cluster, lab.repo); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, lab.gate.Stop(context.WithoutCancel(ctx))) }()
	err = errors.Join(agent.Install(ctx, lab.cluster, lab.repo), controller.Install(ctx, lab.cluster, lab.repo), lab.gate.Register(ctx, nil))
	if err != nil {
		return 0, err
	}
	config, err := lab.cluster.RESTConfig()
	if err != nil {
		return 0, err
	}
	if lab.admin, err = kubernetes.NewForConfig(config); err != nil {
		return 0, err
	}
	if lab.client, err = apply.NewClient(config); err != nil {
		return 0, err
	}
	return m.Run(), nil
}
