package webhook

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/cache"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// WatchPolicies puts the WorkloadPolicies in force, now and after every change,
// until ctx ends. The informers have read them all: half of them would be other
// rules. Changes that come together are compiled together.
func (g *Gate) WatchPolicies(ctx context.Context, i *Informers) error {
	changed, err := i.policies.changes()
	if err != nil {
		return fmt.Errorf("watching WorkloadPolicies: %w", err)
	}
	led, err := ledOn(i.reports)
	if err != nil {
		return fmt.Errorf("watching NamespaceReports: %w", err)
	}
	g.reload(ctx, i)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-led:
				g.reload(ctx, i)
			case <-i.reports.changed:
				g.reload(ctx, i)
			case <-changed:
				g.reload(ctx, i)
			}
		}
	}()
	return nil
}

// changes tells that something has changed in what an informer holds. Changes that come
// together are told once.
func changes(informer cache.SharedIndexInformer) (<-chan struct{}, error) {
	changed := make(chan struct{}, 1)
	tell := func() {
		select {
		case changed <- struct{}{}:
		default: // it will be seen with the change before
		}
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { tell() },
		UpdateFunc: func(any, any) { tell() },
		DeleteFunc: func(any) { tell() },
	})
	return changed, err
}

// readStored reads all of a kind as it is stored. The errors name what is not
// understood.
func readStored[T any](k *kind, name string, read func([]byte) (*T, error)) (list []T, errs []error) {
	for _, stored := range k.list() {
		u := stored.(*unstructured.Unstructured)
		raw, err := u.MarshalJSON()
		if err == nil {
			var r *T
			if r, err = read(raw); err == nil {
				list = append(list, *r)
				continue
			}
		}
		errs = append(errs, fmt.Errorf("%s %s: %w", name, u.GetName(), err))
	}
	return list, errs
}

// reload compiles what the informer holds. The webhook refuses resources that are
// wrong, but one may have been stored while it was away. One whose fields are not
// understood is as if it were not there: what it was meant to say is not known, and
// neither more nor less should be enforced for it.
func (g *Gate) reload(ctx context.Context, i *Informers) {
	log := logf.FromContext(ctx).WithName("policies")
	resources, errs := readStored(i.policies, "WorkloadPolicy", ruling.Decode)
	book, more := ruling.Compile(resources)
	errs = append(errs, more...)
	reached := i.reached()
	g.SetBook(book.At(reached))
	g.inForce.Store(&inForce{policies: resources, reached: reached, namespaces: i.labelled})
	g.metrics.PolicyErrors(len(errs))
	if len(errs) > 0 {
		log.Error(errors.Join(errs...), "parts of the WorkloadPolicies are not understood and not applied")
	}
	log.Info("WorkloadPolicies in force", "policies", len(resources), "errors", len(errs))
}
