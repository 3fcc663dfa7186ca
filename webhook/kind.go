package webhook

import (
	"context"
	"fmt"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// kind holds all that there is of one of our kinds. Its CRD may be missing: it was not
// installed yet, or an older installation has none, or it is deleted while the gate serves.
// Then there is nothing of the kind, whatever was there before, and nobody waits for it.
// Where it is installed, the gate serves nothing before it has read it: what a rollout has
// enforced would be judged more mildly after every start, and what is exempt be refused.
type kind struct {
	cache.SharedIndexInformer

	name    string // as people call several of them
	missing atomic.Bool
	changed chan struct{}
}

// newKind makes the informer of a kind, which reads what is stored: decoded into their type
// policies would lose the fields that are misspelt, and mean something else.
func newKind(name string, client dynamic.ResourceInterface) (*kind, error) {
	k := &kind{name: name, changed: make(chan struct{}, 1)}
	k.SharedIndexInformer = cache.NewSharedIndexInformer(insisting(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			list, err := client.List(ctx, o)
			k.note(ctx, err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			w, err := client.Watch(ctx, o)
			k.note(ctx, err)
			return w, err
		},
	}), &unstructured.Unstructured{}, 0, cache.Indexers{})
	if err := k.SetWatchErrorHandlerWithContext(func(ctx context.Context, r *cache.Reflector, err error) {
		if !apierrors.IsNotFound(err) { // that has been told, and is not told with every attempt
			cache.DefaultWatchErrorHandler(ctx, r, err)
		}
	}); err != nil {
		return nil, fmt.Errorf("watching %s: %w", name, err)
	}
	return k, nil
}

// note notes by an answer of the API server whether the CRD is missing. What is not
// answered says nothing of it.
func (k *kind) note(ctx context.Context, err error) {
	switch {
	case apierrors.IsNotFound(err):
		if !k.missing.Swap(true) {
			logf.FromContext(ctx).WithName("policies").Info(k.name + " are not installed here: their CRD is missing")
			k.tell()
		}
	case err == nil:
		k.missing.Store(false)
	}
}

func (k *kind) tell() {
	select {
	case k.changed <- struct{}{}:
	default: // it will be seen with the change before
	}
}

// read is whether all has been read once that there is.
func (k *kind) read() bool { return k.HasSynced() || k.missing.Load() }

// list is all that there is.
func (k *kind) list() []any {
	if k.missing.Load() {
		return nil
	}
	return k.GetStore().List()
}

// changes tells that something has changed, to one who listens. Changes that come together
// are told once.
func (k *kind) changes() (<-chan struct{}, error) {
	_, err := k.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { k.tell() }, UpdateFunc: func(any, any) { k.tell() }, DeleteFunc: func(any) { k.tell() },
	})
	return k.changed, err
}
