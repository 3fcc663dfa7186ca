package node

import (
	"context"
	"fmt"
	"path/filepath"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/hardgate-dev/hardgate/e2e/agent"
	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
)

// DeployAgent applies the agent's DaemonSet, with its rights, for this node. Without
// kube-proxy, the address of the API server is a flag.
func DeployAgent(ctx context.Context, c *cluster.Cluster, repo string) error {
	if err := agent.Install(ctx, c, repo); err != nil {
		return err
	}
	access, err := c.RESTConfig()
	if err != nil {
		return err
	}
	objects, err := apply.Read(filepath.Join(repo, "manifests", "nodecheck", "daemonset.yaml"))
	if err != nil {
		return err
	}
	for _, o := range objects {
		var set appsv1.DaemonSet
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &set); err != nil {
			return fmt.Errorf("reading the agent's DaemonSet: %w", err)
		}
		pod := &set.Spec.Template.Spec
		pod.NodeSelector = map[string]string{corev1.LabelHostname: Name}
		pod.Containers[0].Args = append(pod.Containers[0].Args, "--api-server="+access.Host)
		if err := apply.Typed(ctx, access, &set); err != nil {
			return err
		}
	}
	return nil
}
