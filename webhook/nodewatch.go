package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	noderuling "github.com/hardgate-dev/hardgate/taint/ruling"
)

// nodePolicyWait is how long NodePolicies are waited for before workloads are served
// without them.
const nodePolicyWait = 2 * time.Second

// WatchNodePolicies puts the NodePolicies in force, now and after every change, until ctx
// ends. It returns when they have been read, or after a short time: an installation may
// not have them. Until they are read, nodes register as they come.
func (g *Gate) WatchNodePolicies(ctx context.Context, i *Informers) error {
	changed, err := i.nodePolicies.changes()
	if err != nil {
		return fmt.Errorf("watching NodePolicies: %w", err)
	}
	paused, err := changes(i.namespaces)
	if err != nil {
		return fmt.Errorf("watching the controller's namespace: %w", err)
	}
	read := make(chan struct{})
	go func() {
		if !cache.WaitForCacheSync(ctx.Done(), i.nodePolicies.HasSynced) {
			return // the end
		}
		g.reloadNodes(ctx, i)
		close(read)
		for {
			select {
			case <-ctx.Done():
				return
			case <-changed:
				g.reloadNodes(ctx, i)
			case <-paused:
				if g.nodes.rules.Load().paused != i.paused(g.nodes.namespace) {
					g.reloadNodes(ctx, i)
				}
			}
		}
	}()
	select {
	case <-read:
	case <-ctx.Done():
	case <-time.After(nodePolicyWait):
		logf.FromContext(ctx).WithName("nodes").Info("the NodePolicies are not read yet; nodes register as they come until they are")
	}
	return nil
}

// reloadNodes compiles what the informer holds. What a policy that is not understood was
// meant to say is not known, so that while there is one nothing is said of any node.
func (g *Gate) reloadNodes(ctx context.Context, i *Informers) {
	policies, errs := readStored(i.nodePolicies, "NodePolicy", noderuling.ReadPolicy)
	book, more := noderuling.Compile(policies)
	errs = append(errs, more...)
	g.metrics.invalidNode.Set(float64(len(errs)))
	rules := &nodeRules{book: book, misunderstood: errors.Join(errs...), paused: i.paused(g.nodes.namespace)}
	g.nodes.rules.Store(rules)
	log := logf.FromContext(ctx).WithName("nodes")
	if rules.misunderstood != nil {
		log.Error(rules.misunderstood, "NodePolicies are not understood; nodes register as they come until they are mended")
	}
	log.Info("NodePolicies in force", "policies", len(policies), "errors", len(errs), "paused", rules.paused)
}

// paused is whether the namespace bears the annotation that pauses everything.
func (i *Informers) paused(namespace string) bool {
	o, found, err := i.namespaces.GetStore().GetByKey(namespace)
	if err != nil || !found {
		return false
	}
	_, paused := o.(*corev1.Namespace).Annotations[v1alpha1.PauseAnnotation]
	return paused
}
