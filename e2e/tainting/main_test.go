package tainting

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/e2e/agent"
	"github.com/hardgate-dev/hardgate/e2e/assets"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/repo"
	"github.com/hardgate-dev/hardgate/e2e/suite"
)

// The lab of all tests. They run one after the other, each with nodes and policies of
// its own, which it takes away again.
var lab struct {
	repo    string
	cluster *cluster.Cluster
	config  *rest.Config
	// admin is in system:masters.
	admin   kubernetes.Interface
	dynamic dynamic.Interface
}

func TestMain(m *testing.M) { suite.Main(m, "tainting", run) }

func run(ctx context.Context, m *testing.M) (code int, err error) {
	log := func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	if lab.repo, err = repo.Root(); err != nil {
		return 0, err
	}
	binaries, err := assets.Get(ctx, assets.Config{Repo: lab.repo, Log: log}, assets.Minimal())
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "hardgate-tainting-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	lab.cluster, err = cluster.Start(ctx, cluster.Config{Dir: dir, Binaries: binaries, Users: []string{gate.User}, Log: log})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, lab.cluster.Stop(context.WithoutCancel(ctx))) }()
	err = errors.Join(gate.Install(ctx, lab.cluster, lab.repo), agent.Install(ctx, lab.cluster, lab.repo), controller.Install(ctx, lab.cluster, lab.repo))
	if err != nil {
		return 0, err
	}
	if lab.config, err = lab.cluster.RESTConfig(); err != nil {
		return 0, err
	}
	lab.config.WarningHandler = rest.NoWarnings{}
	if lab.admin, err = kubernetes.NewForConfig(lab.config); err != nil {
		return 0, err
	}
	if lab.dynamic, err = dynamic.NewForConfig(lab.config); err != nil {
		return 0, err
	}
	return m.Run(), nil
}
