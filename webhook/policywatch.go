package webhook

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/client-go/tools/cache"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// WatchPolicies puts every change of a WorkloadPolicy in force, from when the
// informers have read them all: half of them would be other rules.
func (g *Gate) WatchPolicies(ctx context.Context, i *Informers) error {
	reload := func() {
		if i.policies.HasSynced() {
			g.reload(ctx, i)
		}
	}
	_, err := i.policies.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { reload() },
		UpdateFunc: func(any, any) { reload() },
		DeleteFunc: func(any) { reload() },
	})
	if err != nil {
		return fmt.Errorf("watching WorkloadPolicies: %w", err)
	}
	return nil
}

// reload compiles what the informer holds. What is wrong in a resource is left out
// and told: the webhook refuses such resources, but one may have been stored while
// it was away.
func (g *Gate) reload(ctx context.Context, i *Informers) {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	log := logf.FromContext(ctx).WithName("policies")
	stored := i.policies.GetStore().List()
	resources := make([]v1alpha1.WorkloadPolicy, 0, len(stored))
	for _, o := range stored {
		resources = append(resources, *o.(*v1alpha1.WorkloadPolicy))
	}
	book, errs := ruling.Compile(resources)
	g.SetBook(book)
	g.metrics.PolicyErrors(len(errs))
	if len(errs) > 0 {
		log.Error(errors.Join(errs...), "parts of the WorkloadPolicies are not understood and not applied")
	}
	log.Info("WorkloadPolicies in force", "policies", len(resources), "errors", len(errs))
}
