package webhook

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

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
// They are client-go's own and know a few kinds. A client that knows all kinds of
// Kubernetes would be most of the process's memory.
type Informers struct {
	server     string
	core       rest.Interface
	namespaces cache.SharedIndexInformer
	accounts   cache.SharedIndexInformer
	policies   *kind
	// nodePolicies are waited for by nobody.
	nodePolicies *kind
	reports      *kind // NamespaceReports
	exemptions   *kind
	// reportClient writes in them.
	reportClient dynamic.ResourceInterface
}

// What requests about hardgate's own kinds may be: what would have been refused is written
// for each namespace, in two requests, and the heartbeat after it.
const (
	queriesPerSecond = 50
	burst            = 100
)

// NewInformers makes informers that Run starts.
func NewInformers(config *rest.Config) (*Informers, error) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("building the scheme: %w", err)
	}
	core, err := restClient(config, scheme, corev1.SchemeGroupVersion, "/api")
	if err != nil {
		return nil, err
	}
	own := rest.CopyConfig(config)
	own.QPS, own.Burst = queriesPerSecond, burst
	dynamicClient, err := dynamic.NewForConfig(own)
	if err != nil {
		return nil, fmt.Errorf("making a client of %s: %w", v1alpha1.GroupVersion, err)
	}
	i := &Informers{
		server:       config.Host,
		core:         core,
		namespaces:   newInformer(core, "namespaces", &corev1.Namespace{}),
		accounts:     newInformer(core, "serviceaccounts", &corev1.ServiceAccount{}),
		reportClient: dynamicClient.Resource(v1alpha1.GroupVersion.WithResource("namespacereports")),
	}
	for _, k := range []struct {
		to             **kind
		name, resource string
	}{
		{&i.policies, "WorkloadPolicies", "workloadpolicies"},
		{&i.nodePolicies, "NodePolicies", "nodepolicies"},
		{&i.reports, "NamespaceReports", "namespacereports"},
		{&i.exemptions, "Exemptions", "exemptions"},
	} {
		if *k.to, err = newKind(k.name, dynamicClient.Resource(v1alpha1.GroupVersion.WithResource(k.resource))); err != nil {
			return nil, err
		}
	}
	for _, informer := range i.all() {
		if err := informer.SetTransform(trim); err != nil {
			return nil, fmt.Errorf("trimming what is cached: %w", err)
		}
	}
	return i, nil
}

func (i *Informers) all() []cache.SharedIndexInformer {
	return []cache.SharedIndexInformer{i.namespaces, i.accounts, i.policies, i.nodePolicies, i.reports, i.exemptions}
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
	return cache.NewSharedIndexInformer(insisting(lw), object, 0, cache.Indexers{})
}

// trim keeps what the gate reads: a large cluster has tens of thousands of accounts.
func trim(o any) (any, error) {
	switch o := o.(type) {
	case *corev1.Namespace:
		return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: o.Name, Labels: o.Labels, Annotations: pause(o.Annotations), ResourceVersion: o.ResourceVersion,
		}}, nil
	case *corev1.ServiceAccount:
		return &corev1.ServiceAccount{
			ObjectMeta:                   metav1.ObjectMeta{Namespace: o.Namespace, Name: o.Name, ResourceVersion: o.ResourceVersion},
			AutomountServiceAccountToken: o.AutomountServiceAccountToken,
		}, nil
	case *unstructured.Unstructured:
		if o.GetKind() == "NamespaceReport" {
			return trimReport(o), nil
		}
		o.SetManagedFields(nil)
		o.SetAnnotations(pause(o.GetAnnotations()))
	}
	return o, nil
}

// pause keeps the one annotation that the gate reads.
func pause(annotations map[string]string) map[string]string {
	why, paused := annotations[v1alpha1.PauseAnnotation]
	if !paused {
		return nil
	}
	return map[string]string{v1alpha1.PauseAnnotation: why}
}

// Run watches until ctx ends.
func (i *Informers) Run(ctx context.Context) {
	done := make(chan struct{})
	all := i.all()
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

// missing names what has not been read once and must have been.
func (i *Informers) missing() string {
	var missing []string
	for _, m := range []struct {
		name string
		read bool
	}{
		{"namespaces", i.namespaces.HasSynced()},
		{"serviceaccounts", i.accounts.HasSynced()},
		{"workloadpolicies", i.policies.read()},
		{"namespacereports", i.reports.read()},
		{"exemptions", i.exemptions.read()},
	} {
		if !m.read {
			missing = append(missing, m.name)
		}
	}
	return strings.Join(missing, ", ")
}

// waitingInterval is how often the wait for the API server is told.
const waitingInterval = 10 * time.Second

// Synced waits until everything but NodePolicies has been read once, and says so while it
// waits: an API server that refuses connections is nothing that client-go tells. The
// error is that of ctx.
func (i *Informers) Synced(ctx context.Context) error {
	log := logf.FromContext(ctx).WithName("informers")
	told := time.Now()
	for i.missing() != "" {
		select {
		case <-ctx.Done():
			return fmt.Errorf("reading %s: %w", i.missing(), context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
		if time.Since(told) >= waitingInterval {
			told = time.Now()
			log.Info("still waiting for the API server; nothing is served until it answers", "missing", i.missing(), "server", i.server)
		}
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
