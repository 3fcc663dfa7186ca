package kubelet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/kubernetes"

	"github.com/hardgate-dev/hardgate/e2e/assets"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/enclosure"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/node"
	"github.com/hardgate-dev/hardgate/e2e/pki"
	"github.com/hardgate-dev/hardgate/e2e/repo"
	"github.com/hardgate-dev/hardgate/e2e/suite"
)

// lab is what the tests share; they run one after the other, for a node has one
// kubelet.
var lab laboratory

type laboratory struct {
	// missing is why there is no lab here.
	missing  error
	repo     string
	binaries assets.Paths
	cluster  *cluster.Cluster
	runtime  *node.Runtime
	admin    kubernetes.Interface // in system:masters
}

// kubelet is the program.
func (l *laboratory) kubelet() string { return l.binaries[assets.Kubelet] }

func TestMain(m *testing.M) {
	where := outside
	if enclosure.Dir() != "" {
		where = inside
	}
	suite.Main(m, "kubelet", where)
}

// needLab skips a test where this machine cannot run a node.
func needLab(t *testing.T) {
	t.Helper()
	if lab.missing != nil {
		t.Skipf("no real kubelet: %v", lab.missing)
	}
}

// outside runs the tests inside an enclosure, or here where none can be made: then
// they tell why they are skipped.
func outside(ctx context.Context, m *testing.M) (code int, err error) {
	lab.missing = errors.New("only root can make namespaces")
	if os.Geteuid() == 0 {
		lab.missing = node.Missing()
	}
	if lab.missing == nil {
		// What is built is kept: the enclosure throws away what is written below /var.
		if err := prepare(ctx); err != nil {
			return 0, err
		}
		code, err := enclosure.Run(ctx, nil)
		if !enclosure.Refused(err) {
			return code, err
		}
		lab.missing = err
	}
	if os.Getenv("HARDGATE_ORACLES") == "required" {
		return 0, lab.missing
	}
	return m.Run(), nil
}

func prepare(ctx context.Context) (err error) {
	if lab.repo, err = repo.Root(); err != nil {
		return err
	}
	lab.binaries, err = assets.Get(ctx, assets.Config{Repo: lab.repo, Log: logf}, append(assets.Minimal(), assets.Kubelet))
	return err
}

func logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func inside(ctx context.Context, m *testing.M) (code int, err error) {
	if err := errors.Join(enclosure.SetUp(), prepare(ctx)); err != nil {
		return 0, err
	}
	pause := filepath.Join(enclosure.Dir(), "pause")
	if err := gate.Build(ctx, filepath.Join(lab.repo, "e2e"), "./cmd/pause", pause); err != nil {
		return 0, err
	}
	if lab.runtime, err = node.StartRuntime(ctx, pause); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, lab.runtime.Stop(context.WithoutCancel(ctx))) }()
	lab.cluster, err = cluster.Start(ctx, cluster.Config{
		Dir: enclosure.Dir(), Binaries: lab.binaries, Users: []string{node.User}, Log: logf,
	})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, lab.cluster.Stop(context.WithoutCancel(ctx))) }()
	access, err := lab.cluster.RESTConfig()
	if err != nil {
		return 0, err
	}
	if lab.admin, err = kubernetes.NewForConfig(access); err != nil {
		return 0, err
	}
	if err := layOut(); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// Where a kubeadm cluster has these files.
const (
	configFile     = node.ConfigFile
	kubeconfigFile = node.KubeconfigFile
	pkiDir         = node.PKIDir
	clientCAFile   = node.ClientCAFile
)

// layOut writes what every kubelet of these tests has. Its working directory is one
// from which the relative paths of these tests lead somewhere.
func layOut() error {
	if err := os.Chdir(filepath.Dir(configFile)); err != nil {
		return err
	}
	if err := node.LayOut(lab.cluster.Kubeconfig(node.User)); err != nil {
		return err
	}
	authority, err := pki.NewAuthority("hardgate-lab-clients")
	if err != nil {
		return err
	}
	client, err := authority.Loopback(clientUser)
	if err != nil {
		return err
	}
	return pki.WriteServing(pkiDir, authority, client)
}
