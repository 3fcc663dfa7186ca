package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// liveRead bounds a read that the informers could not answer; the API server waits
// 3 s for the gate in all.
const liveRead = 2 * time.Second

// Informers hold what the gate asks of the cluster. They implement Cluster; what
// they have not seen yet is read from the API server: a namespace and its first
// workload may come in one breath, and a miss must not read as "no labels".
//
// They are client-go's own and know three kinds. A client that knows all kinds of
// Kubernetes would be most of the process's memory.
type Informers struct {
	core       rest.Interface
	namespaces cache.SharedIndexInformer
	accounts   cache.SharedIndexInformer
	policies   cache.SharedIndexInformer
}

// NewInformers makes informers that Run starts.
func NewInformers(config *rest.Config) (*Informers, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, fmt.Errorf("building the scheme: %w", err)
	}
	core, err := restClient(config, scheme, corev1.SchemeGroupVersion, "/api")
	if err != nil {
		return nil, err
	}
	own, err := restClient(config, scheme, v1alpha1.GroupVersion, "/apis")
	if err != nil {
		return nil, err
	}
	i := &Informers{
		core:       core,
		namespaces: newInformer(core, "namespaces", &corev1.Namespace{}),
		accounts:   newInformer(core, "serviceaccounts", &corev1.ServiceAccount{}),
		policies:   newInformer(own, "workloadpolicies", &v1alpha1.WorkloadPolicy{}),
	}
	if err := errors.Join(i.namespaces.SetTransform(trim), i.accounts.SetTransform(trim), i.policies.SetTransform(trim)); err != nil {
		return nil, fmt.Errorf("trimming what is cached: %w", err)
	}
	return i, nil
}

func restClient(config *rest.Config, scheme *runtime.Scheme, gv schema.GroupVersion, path string) (rest.Interface, error) {
	c := rest.CopyConfig(config)
	c.GroupVersion, c.APIPath = &gv, path
	c.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	c.UserAgent = rest.DefaultKubernetesUserAgent()
	client, err := rest.RESTClientFor(c)
	if err != nil {
		return nil, fmt.Errorf("making a client of %s: %w", gv, err)
	}
	return client, nil
}

func newInformer(client rest.Interface, resource string, object runtime.Object) cache.SharedIndexInformer {
	lw := cache.NewListWatchFromClient(client, resource, metav1.NamespaceAll, fields.Everything())
	return cache.NewSharedIndexInformer(lw, object, 0, cache.Indexers{})
}

// trim keeps what the gate reads: a large cluster has tens of thousands of accounts.
func trim(o any) (any, error) {
	switch o := o.(type) {
	case *corev1.Namespace:
		return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: o.Name, Labels: o.Labels, ResourceVersion: o.ResourceVersion}}, nil
	case *corev1.ServiceAccount:
		return &corev1.ServiceAccount{
			ObjectMeta:                   metav1.ObjectMeta{Namespace: o.Namespace, Name: o.Name, ResourceVersion: o.ResourceVersion},
			AutomountServiceAccountToken: o.AutomountServiceAccountToken,
		}, nil
	case *v1alpha1.WorkloadPolicy:
		o.ManagedFields, o.Annotations = nil, nil
	}
	return o, nil
}

// Run watches until ctx ends.
func (i *Informers) Run(ctx context.Context) {
	done := make(chan struct{})
	all := []cache.SharedIndexInformer{i.namespaces, i.accounts, i.policies}
	for _, informer := range all {
		go func() {
			informer.RunWithContext(ctx)
			done <- struct{}{}
		}()
	}
	for range all {
		<-done
	}
}

// Synced waits until everything has been read once. The error is that of ctx.
func (i *Informers) Synced(ctx context.Context) error {
	if !cache.WaitForCacheSync(ctx.Done(), i.namespaces.HasSynced, i.accounts.HasSynced, i.policies.HasSynced) {
		return fmt.Errorf("reading namespaces, accounts and policies: %w", context.Cause(ctx))
	}
	return nil
}

// Labels implements Cluster. The set is shared: callers must not change it.
func (i *Informers) Labels(ctx context.Context, namespace string) (labels.Set, error) {
	if o, ok, err := i.namespaces.GetStore().GetByKey(namespace); err == nil && ok {
		return o.(*corev1.Namespace).Labels, nil
	}
	ns := &corev1.Namespace{}
	if err := i.live(ctx, i.core.Get().Resource("namespaces").Name(namespace), ns); err != nil {
		return nil, err
	}
	return ns.Labels, nil
}

// Automount implements Cluster. An account that does not exist says nothing.
func (i *Informers) Automount(ctx context.Context, namespace, account string) (workload.Optional[bool], error) {
	if o, ok, err := i.accounts.GetStore().GetByKey(namespace + "/" + account); err == nil && ok {
		return automount(o.(*corev1.ServiceAccount)), nil
	}
	sa := &corev1.ServiceAccount{}
	err := i.live(ctx, i.core.Get().Namespace(namespace).Resource("serviceaccounts").Name(account), sa)
	if err != nil && !apierrors.IsNotFound(err) {
		return workload.Optional[bool]{}, err
	}
	return automount(sa), nil
}

func automount(sa *corev1.ServiceAccount) workload.Optional[bool] {
	if sa.AutomountServiceAccountToken == nil {
		return workload.Optional[bool]{}
	}
	return workload.Optional[bool]{Set: true, Value: *sa.AutomountServiceAccountToken}
}

func (i *Informers) live(ctx context.Context, request *rest.Request, to runtime.Object) error {
	ctx, cancel := context.WithTimeout(ctx, liveRead)
	defer cancel()
	return request.Do(ctx).Into(to)
}
