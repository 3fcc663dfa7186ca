package bench

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

// Run builds the webhook and the floor from the checkout in repo, starts both
// beside an idle cluster, measures them and prints what it measured.
func Run(ctx context.Context, c *cluster.Cluster, repo string, plan Plan, out io.Writer) (err error) {
	log := c.Config().Log
	log("building and starting the webhook and the floor")
	g, err := startWebhook(ctx, c, repo, gate.Start)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Stop(context.WithoutCancel(ctx))) }()
	floor, err := startFloor(ctx, c, g, repo)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, floor.Stop(context.WithoutCancel(ctx), time.Second)) }()

	servers := [2]Server{{Name: "floor", Process: floor.Identity}, {Name: "webhook", Process: g.Process()}}
	var results []Result
	for _, name := range sets {
		set, err := Load(setDir(repo, name))
		if err != nil {
			return err
		}
		floorURL := "https://localhost:" + strconv.Itoa(c.Ports().Of(floorName)) + "/validate"
		if servers[0].Client, err = NewClient(floorURL, g.CA(), false); err != nil {
			return err
		}
		if servers[1].Client, err = NewClient(g.WorkloadURL(), g.CA(), true); err != nil {
			return err
		}
		log("measuring %d %s requests: %d rounds of %s for each server", len(set), name, plan.Rounds, plan.Round)
		r, err := Measure(ctx, name, set, servers[0], servers[1], plan)
		if err != nil {
			return err
		}
		denied, all := servers[1].Client.Denied()
		log("the webhook denied %d of the %d", denied, all)
		servers[0].Client.Close()
		servers[1].Client.Close()
		results = append(results, r)
	}
	memory, err := MemoryTable(servers[:]...)
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, "Medians over the rounds, with the least and the most.\n"+
		Table(results)+memory+RatioLine(results[0], results[1]))
	return err
}

// startWebhook installs what the webhook needs and starts it, in either of the
// gate's ways.
func startWebhook(
	ctx context.Context, c *cluster.Cluster, repo string,
	start func(context.Context, *cluster.Cluster, string) (*gate.Gate, error),
) (*gate.Gate, error) {
	if err := gate.Install(ctx, c, repo); err != nil {
		return nil, err
	}
	// Before the start: a policy that came into force between two requests would
	// change a verdict.
	if err := applyPolicy(ctx, c, repo); err != nil {
		return nil, err
	}
	return start(ctx, c, repo)
}

// applyPolicy makes the webhook judge by a policy, as it would in a cluster: that
// of the demonstration.
func applyPolicy(ctx context.Context, c *cluster.Cluster, repo string) error {
	cfg, err := c.RESTConfig()
	if err != nil {
		return err
	}
	return apply.File(ctx, cfg, filepath.Join(repo, "e2e", "demo", "setup.yaml"))
}

const floorName = "floor"

// startFloor starts the floor with the webhook's certificate: both do the same
// cryptography.
func startFloor(ctx context.Context, c *cluster.Cluster, g *gate.Gate, repo string) (*process.Running, error) {
	dir := c.Config().Dir
	binary := filepath.Join(dir, "bin", floorName)
	if err := gate.Build(ctx, filepath.Join(repo, "e2e"), "./cmd/floor", binary); err != nil {
		return nil, err
	}
	address := func() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Ports().Of(floorName))) }
	running, _, err := process.Service{
		Ports: c.Ports(), Purposes: []string{floorName},
		Program: func() process.Program {
			return process.Program{
				Name: floorName, Path: binary, Dir: dir,
				Args: []string{"-listen", address(), "-cert-dir", g.CertDir()},
			}
		},
		Ready: func(ctx context.Context) error {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", address())
			if err != nil {
				return err
			}
			return conn.Close()
		},
		Limit: 10 * time.Second, Grace: time.Second, Log: c.Config().Log,
	}.Ensure(ctx)
	return running, err
}
