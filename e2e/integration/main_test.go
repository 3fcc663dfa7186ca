package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/e2e/assets"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/repo"
	"github.com/hardgate-dev/hardgate/e2e/suite"
)

// enforced is the one namespace where the API server refuses what the gate does
// not answer for.
const enforced = "enforced"

// The lab that all tests share. They keep out of each other's way by namespaces.
var lab struct {
	repo    string
	cluster *cluster.Cluster
	gate    *gate.Gate
	config  *rest.Config
	// admin is in system:masters.
	admin kubernetes.Interface
}

func TestMain(m *testing.M) { suite.Main(m, "integration", run) }

func run(ctx context.Context, m *testing.M) (code int, err error) {
	log := func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	root, err := repo.Root()
	if err != nil {
		return 0, err
	}
	lab.repo = root
	binaries, err := assets.Get(ctx, assets.Config{Repo: root, Log: log}, assets.Minimal())
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "hardgate-integration-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	lab.cluster, err = cluster.Start(ctx, cluster.Config{Dir: dir, Binaries: binaries, Users: []string{gate.User}, Log: log})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, lab.cluster.Stop(context.WithoutCancel(ctx))) }()
	lab.gate, err = gate.Start(ctx, lab.cluster, root)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, lab.gate.Stop(context.WithoutCancel(ctx))) }()
	if err := connect(ctx); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

func connect(ctx context.Context) (err error) {
	if lab.config, err = lab.cluster.RESTConfig(); err != nil {
		return err
	}
	lab.config.WarningHandler = rest.NoWarnings{} // tests of warnings have clients of their own
	if lab.admin, err = kubernetes.NewForConfig(lab.config); err != nil {
		return err
	}
	if err := prepare(ctx, enforced); err != nil {
		return err
	}
	return lab.gate.Register(ctx, []string{enforced})
}
