package helm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/assets"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/enclosure"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/heartbeat"
	"github.com/hardgate-dev/hardgate/e2e/issuer"
	"github.com/hardgate-dev/hardgate/e2e/node"
	"github.com/hardgate-dev/hardgate/e2e/relay"
	"github.com/hardgate-dev/hardgate/e2e/repo"
	"github.com/hardgate-dev/hardgate/e2e/suite"
)

var lab laboratory

type laboratory struct {
	missing  error // why there is no lab here
	repo     string
	built    string // has helm and the images
	binaries assets.Paths
	cluster  *cluster.Cluster
	admin    kubernetes.Interface // in system:masters
	objects  dynamic.Interface
	client   *apply.Client

	issuer      issuer.Program
	certManager *issuer.Running // nil before it is started
}

// bystander is a second node, without a machine: the last one of a pool is never tainted.
const bystander = "lab-bystander"

func TestMain(m *testing.M) {
	where := outside
	if enclosure.Dir() != "" {
		where = inside
	}
	suite.Main(m, "helm", where)
}

func logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// outside runs the tests inside an enclosure, or here where none can be made: then they
// tell why they are skipped.
func outside(ctx context.Context, m *testing.M) (code int, err error) {
	if lab.missing = node.Possible(); lab.missing != nil {
		if os.Getenv("HARDGATE_ORACLES") == "required" {
			return 0, lab.missing
		}
		return m.Run(), nil
	}
	// Out here there is a network, which modules may have to be fetched by.
	if err := find(ctx); err != nil {
		return 0, err
	}
	if err := build(ctx); err != nil {
		return 0, err
	}
	return enclosure.Run(ctx, nil)
}

// find says where things are that are kept from run to run.
func find(ctx context.Context) (err error) {
	if lab.repo, err = repo.Root(); err != nil {
		return err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	if lab.issuer, err = issuer.Build(ctx, lab.repo, logf); err != nil {
		return err
	}
	lab.built = filepath.Join(cache, "hardgate", "e2e-helm")
	lab.binaries, err = assets.Get(ctx, assets.Config{Repo: lab.repo, Log: logf}, append(assets.All(), assets.Kubelet))
	return err
}

func inside(ctx context.Context, m *testing.M) (code int, err error) {
	var beside sync.WaitGroup
	defer beside.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := errors.Join(enclosure.SetUp(), find(ctx)); err != nil {
		return 0, err
	}
	pause := filepath.Join(enclosure.Dir(), "pause")
	if err := gate.Build(ctx, filepath.Join(lab.repo, "e2e"), "./cmd/pause", pause); err != nil {
		return 0, err
	}
	logf("starting containerd, and importing the images")
	runtime, err := node.StartRuntime(ctx, pause)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, runtime.Stop(context.WithoutCancel(ctx))) }()
	if err := errors.Join(node.ConnectPods(), load(ctx, runtime)); err != nil {
		return 0, err
	}
	logf("starting a control plane and a kubelet")
	lab.cluster, err = cluster.Start(ctx, cluster.Config{
		Dir: enclosure.Dir(), Binaries: lab.binaries, Controllers: true, Users: []string{node.User}, Log: logf,
		// Without kube-proxy the address of a Service leads nowhere: the API server takes
		// the endpoints, as it does where it is no node of its cluster's network.
		APIServerFlags: []string{"--enable-aggregator-routing=true"},
	})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, lab.cluster.Stop(context.WithoutCancel(ctx))) }()
	if err := connect(ctx, &beside); err != nil {
		return 0, err
	}
	beside.Go(func() { _ = heartbeat.Keep(ctx, lab.admin, bystander, logf) }) // it returns none
	kubelet, err := node.StartLocal(ctx, lab.cluster)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, kubelet.Stop(context.WithoutCancel(ctx), 0)) }()
	code = m.Run()
	cancel()
	return code, nil
}

// connect makes clients, and the Service by which pods find the API server.
func connect(ctx context.Context, beside *sync.WaitGroup) error {
	access, err := lab.cluster.RESTConfig()
	if err != nil {
		return err
	}
	access.WarningHandler = rest.NoWarnings{} // the load is warned of at every request
	if lab.admin, err = kubernetes.NewForConfig(access); err != nil {
		return err
	}
	if lab.objects, err = dynamic.NewForConfig(access); err != nil {
		return err
	}
	if lab.client, err = apply.NewClient(access); err != nil {
		return err
	}
	server, err := url.Parse(access.Host)
	if err != nil {
		return err
	}
	if err := enclosure.AddAddress("lo:1", netip.MustParseAddr(cluster.ServiceAddress)); err != nil {
		return err
	}
	here := func(do func() error) error { return do() }
	l, err := relay.Listen(ctx, here, net.JoinHostPort(cluster.ServiceAddress, "443"))
	if err != nil {
		return err
	}
	beside.Go(func() {
		if err := relay.Serve(ctx, l, server.Host); err != nil {
			logf("%v", err)
		}
	})
	return nil
}
