package certificates

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/e2e/agent"
	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/assets"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/issuer"
	"github.com/hardgate-dev/hardgate/e2e/repo"
	"github.com/hardgate-dev/hardgate/e2e/suite"
)

var lab struct {
	repo, dir string
	issuer    issuer.Program

	webhook, controller, kubectl string // binaries
	cluster                      *cluster.Cluster
	admin                        kubernetes.Interface
	client                       *apply.Client
}

func TestMain(m *testing.M) { suite.Main(m, "certificates", run) }

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func run(ctx context.Context, m *testing.M) (code int, err error) {
	if lab.repo, err = repo.Root(); err != nil {
		return 0, err
	}
	binaries, err := assets.Get(ctx, assets.Config{Repo: lab.repo, Log: say}, append(assets.Minimal(), assets.Kubectl))
	if err != nil {
		return 0, err
	}
	lab.kubectl = binaries[assets.Kubectl]
	if lab.issuer, err = issuer.Build(ctx, lab.repo, say); err != nil {
		return 0, err
	}
	if lab.dir, err = os.MkdirTemp("", "hardgate-certificates-"); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(lab.dir)) }()
	if err := os.Mkdir(filepath.Join(lab.dir, "bin"), 0o700); err != nil {
		return 0, err
	}
	for pkg, binary := range map[string]*string{"webhook": &lab.webhook, "controller": &lab.controller} {
		*binary = filepath.Join(lab.dir, "bin", pkg)
		if err := gate.Build(ctx, lab.repo, "./cmd/"+pkg, *binary); err != nil {
			return 0, err
		}
	}
	lab.cluster, err = cluster.Start(ctx, cluster.Config{Dir: lab.dir, Binaries: binaries, Users: []string{gate.User}, Log: say})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, lab.cluster.Stop(context.WithoutCancel(ctx))) }()
	err = errors.Join(gate.Install(ctx, lab.cluster, lab.repo), agent.Install(ctx, lab.cluster, lab.repo), controller.Install(ctx, lab.cluster, lab.repo))
	if err != nil {
		return 0, err
	}
	config, err := lab.cluster.RESTConfig()
	if err != nil {
		return 0, err
	}
	config.WarningHandler = rest.NoWarnings{} // each pod is warned of
	if lab.admin, err = kubernetes.NewForConfig(config); err != nil {
		return 0, err
	}
	if lab.client, err = apply.NewClient(config); err != nil {
		return 0, err
	}
	return m.Run(), nil
}
