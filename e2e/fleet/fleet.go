package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/e2e/agent"
)

// writers is how many requests are under way at once.
const writers = 24

// leaseSeconds is how long an agent's lease lasts.
const leaseSeconds = 900

// Fleet is a number of nodes in an API server.
type Fleet struct {
	core    kubernetes.Interface
	reports dynamic.ResourceInterface
	nodes   []*corev1.Node
}

// Create makes n nodes, each with a report that passes and a lease, in pools of 50. The
// agents' namespace is there already.
func Create(ctx context.Context, cfg *rest.Config, n int) (*Fleet, error) {
	core := rest.CopyConfig(cfg)
	core.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(core)
	if err != nil {
		return nil, err
	}
	resources, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	f := &Fleet{
		core: client, reports: resources.Resource(v1alpha1.GroupVersion.WithResource("nodereports")),
		nodes: make([]*corev1.Node, n),
	}
	status := Status(nil)
	err = f.each(ctx, n, func(ctx context.Context, i int) error {
		node, err := client.CoreV1().Nodes().Create(ctx, newNode(i), metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("creating a node: %w", err)
		}
		f.nodes[i] = node
		// The API server taints every new node as not ready, and a controller-manager, which
		// is not here, takes that away.
		if _, err := client.CoreV1().Nodes().Patch(ctx, node.Name, types.MergePatchType, []byte(`{"spec":{"taints":null}}`), metav1.PatchOptions{}); err != nil {
			return fmt.Errorf("making a node schedulable: %w", err)
		}
		if err := f.createReport(ctx, node); err != nil {
			return err
		}
		if err := f.report(ctx, node.Name, status); err != nil {
			return err
		}
		lease := &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Name: node.Name, OwnerReferences: owners(node)},
			Spec: coordinationv1.LeaseSpec{
				HolderIdentity: &node.Name, LeaseDurationSeconds: new(int32(leaseSeconds)), RenewTime: new(metav1.NowMicro()),
			},
		}
		if _, err := client.CoordinationV1().Leases(agent.Namespace).Create(ctx, lease, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("creating a lease: %w", err)
		}
		return nil
	})
	return f, err
}

// each does something n times, several at once.
func (f *Fleet) each(ctx context.Context, n int, do func(context.Context, int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

func owners(node *corev1.Node) []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: node.Name, UID: node.UID}}
}

func (f *Fleet) createReport(ctx context.Context, node *corev1.Node) error {
	report := &v1alpha1.NodeReport{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "NodeReport"},
		ObjectMeta: metav1.ObjectMeta{Name: node.Name, OwnerReferences: owners(node)},
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(report)
	if err != nil {
		return err
	}
	if _, err := f.reports.Create(ctx, &unstructured.Unstructured{Object: content}, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("creating a report: %w", err)
	}
	return nil
}

// report writes what an agent found.
func (f *Fleet) report(ctx context.Context, node string, status *v1alpha1.NodeReportStatus) error {
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	if _, err := f.reports.Patch(ctx, node, types.MergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
		return fmt.Errorf("writing the report of %s: %w", node, err)
	}
	return nil
}

// Report lets the agents of nodes report, as fast as the server takes it.
func (f *Fleet) Report(ctx context.Context, nodes []*corev1.Node, status *v1alpha1.NodeReportStatus) error {
	return f.each(ctx, len(nodes), func(ctx context.Context, i int) error { return f.report(ctx, nodes[i].Name, status) })
}

// Beat renews the leases one after the other, each once in every period, until ctx ends.
func (f *Fleet) Beat(ctx context.Context, period time.Duration) error {
	tick := time.NewTicker(period / time.Duration(len(f.nodes)))
	defer tick.Stop()
	for i := 0; ; i = (i + 1) % len(f.nodes) {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		patch := fmt.Appendf(nil, `{"spec":{"renewTime":%q}}`, time.Now().UTC().Format(metav1.RFC3339Micro))
		_, err := f.core.CoordinationV1().Leases(agent.Namespace).Patch(ctx, f.nodes[i].Name, types.MergePatchType, patch, metav1.PatchOptions{})
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("renewing a lease: %w", err)
		}
	}
}
