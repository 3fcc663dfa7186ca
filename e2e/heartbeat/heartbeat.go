// Package heartbeat keeps a Node alive that no machine stands behind, as a kubelet
// would: the node lifecycle controller takes one for dead that says nothing for 40
// seconds. No pod runs there; the Node counts where nodes are counted.
package heartbeat

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// period is how often kubelets renew their leases.
const period = 10 * time.Second

// Keep makes the node, unless it is there, and keeps it Ready until ctx ends. It tells
// log what goes wrong, and tries again.
func Keep(ctx context.Context, core kubernetes.Interface, name string, log func(string, ...any)) error {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		if err := beat(ctx, core, name); err != nil && ctx.Err() == nil {
			log("%v", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func beat(ctx context.Context, core kubernetes.Interface, name string) error {
	nodes := core.CoreV1().Nodes()
	node, err := nodes.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		node, err = nodes.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: map[string]string{corev1.LabelHostname: name, corev1.LabelOSStable: "linux"},
		}}, metav1.CreateOptions{})
	}
	if err != nil {
		return fmt.Errorf("keeping the node %s: %w", name, err)
	}
	// First the lease: its lack is what makes others set the condition.
	leases := core.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	now := metav1.NowMicro()
	patch := fmt.Appendf(nil, `{"spec":{"renewTime":%q}}`, now.UTC().Format(metav1.RFC3339Micro))
	_, err = leases.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	if apierrors.IsNotFound(err) {
		_, err = leases.Create(ctx, &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Name: name, OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: name, UID: node.UID}}},
			Spec:       coordinationv1.LeaseSpec{HolderIdentity: &name, LeaseDurationSeconds: new(int32(40)), RenewTime: &now},
		}, metav1.CreateOptions{})
	}
	if err != nil {
		return fmt.Errorf("renewing the lease of %s: %w", name, err)
	}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
			return nil
		}
	}
	since := metav1.NewTime(now.Time)
	node.Status.Conditions = []corev1.NodeCondition{{
		Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "HeartbeatOnly", Message: "no machine stands behind this node",
		LastHeartbeatTime: since, LastTransitionTime: since,
	}}
	node.Status.Capacity = corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}
	node.Status.Allocatable = node.Status.Capacity
	if _, err := nodes.UpdateStatus(ctx, node, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("keeping the node %s Ready: %w", name, err)
	}
	return nil
}
