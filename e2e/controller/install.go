package controller

import (
	"context"
	"path/filepath"

	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
)

// What manifests/controller calls the controller's account, and where it and the Lease
// of the leader are.
const (
	Namespace       = "hardgate-system"
	Account         = "hardgate-controller"
	LeaderNamespace = "hardgate-leader"
	Leader          = "hardgate-controller"
)

// Install applies the controller's account and rights, and the admission policies that
// keep others from what it writes on Nodes: all of manifests/controller but the
// Deployment, as the controller of a lab is a process. The policies are in force some
// moments later. Its namespace comes with agent.Install, which goes first.
func Install(ctx context.Context, c *cluster.Cluster, repo string) error {
	cfg, err := c.RESTConfig()
	if err != nil {
		return err
	}
	return apply.DirWithout(ctx, cfg, filepath.Join(repo, "manifests", "controller"), "Deployment")
}
