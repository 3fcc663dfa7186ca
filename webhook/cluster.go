package webhook

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// liveRead bounds a read that the cache could not answer; the API server waits 3 s
// for the gate in all.
const liveRead = 2 * time.Second

// CachedCluster answers from a cache and, for what the cache has not seen yet, from
// the API server: a namespace and its first workload may come in one breath, and a
// miss must not read as "no labels".
type CachedCluster struct {
	Cache client.Reader
	Live  client.Reader
}

// Labels implements Cluster.
func (c CachedCluster) Labels(ctx context.Context, namespace string) (labels.Set, error) {
	ns := &metav1.PartialObjectMetadata{}
	ns.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := c.get(ctx, client.ObjectKey{Name: namespace}, ns); err != nil {
		return nil, err
	}
	return ns.Labels, nil
}

// Automount implements Cluster. An account that does not exist says nothing.
func (c CachedCluster) Automount(ctx context.Context, namespace, account string) (workload.Optional[bool], error) {
	sa := &corev1.ServiceAccount{}
	err := c.get(ctx, client.ObjectKey{Namespace: namespace, Name: account}, sa)
	if apierrors.IsNotFound(err) {
		return workload.Optional[bool]{}, nil
	}
	if err != nil || sa.AutomountServiceAccountToken == nil {
		return workload.Optional[bool]{}, err
	}
	return workload.Optional[bool]{Set: true, Value: *sa.AutomountServiceAccountToken}, nil
}

func (c CachedCluster) get(ctx context.Context, key client.ObjectKey, to client.Object) error {
	err := c.Cache.Get(ctx, key, to)
	if !apierrors.IsNotFound(err) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, liveRead)
	defer cancel()
	return c.Live.Get(ctx, key, to)
}

// CacheOptions keeps of the cluster's objects what the gate reads and no more: a
// large cluster has tens of thousands of accounts.
func CacheOptions() cache.Options {
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	return cache.Options{
		ByObject: map[client.Object]cache.ByObject{
			namespace: {Transform: func(o any) (any, error) {
				if ns, ok := o.(*metav1.PartialObjectMetadata); ok {
					ns.ObjectMeta = metav1.ObjectMeta{Name: ns.Name, Labels: ns.Labels, ResourceVersion: ns.ResourceVersion}
				}
				return o, nil
			}},
			&corev1.ServiceAccount{}: {Transform: func(o any) (any, error) {
				if sa, ok := o.(*corev1.ServiceAccount); ok {
					sa.ObjectMeta = metav1.ObjectMeta{Namespace: sa.Namespace, Name: sa.Name, ResourceVersion: sa.ResourceVersion}
					sa.Secrets, sa.ImagePullSecrets = nil, nil
				}
				return o, nil
			}},
		},
	}
}
