package webhook

import (
	"context"
	"errors"
	"fmt"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// WatchPolicies puts every change of a WorkloadPolicy in force. It returns at once;
// the watch lasts as long as the cache.
func (g *Gate) WatchPolicies(ctx context.Context, c cache.Cache) error {
	informer, err := c.GetInformer(ctx, &v1alpha1.WorkloadPolicy{})
	if err != nil {
		return fmt.Errorf("watching WorkloadPolicies: %w", err)
	}
	reload := func() { g.reload(ctx, c) }
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { reload() },
		UpdateFunc: func(any, any) { reload() },
		DeleteFunc: func(any) { reload() },
	})
	if err != nil {
		return fmt.Errorf("watching WorkloadPolicies: %w", err)
	}
	return nil
}

// reload compiles what the cache holds. What is wrong in a resource is left out and
// told: the webhook refuses such resources, but one may have been stored while it
// was away.
func (g *Gate) reload(ctx context.Context, c cache.Cache) {
	log := logf.FromContext(ctx).WithName("policies")
	var list v1alpha1.WorkloadPolicyList
	if err := c.List(ctx, &list); err != nil {
		log.Error(err, "could not list WorkloadPolicies; the old ones stay in force")
		return
	}
	book, errs := ruling.Compile(list.Items)
	g.SetBook(book)
	g.metrics.PolicyErrors(len(errs))
	if len(errs) > 0 {
		log.Error(errors.Join(errs...), "parts of the WorkloadPolicies are not understood and not applied")
	}
	log.Info("WorkloadPolicies in force", "policies", len(list.Items), "errors", len(errs))
}
