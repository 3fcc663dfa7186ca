package roster

import (
	"context"
	"fmt"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
)

// resource is a kind that is read as it is stored.
func resource(kind string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	return u
}

// ByObject says what a cache keeps of each kind.
func (r *Roster) ByObject() map[client.Object]cache.ByObject {
	return map[client.Object]cache.ByObject{
		&corev1.Node{}:         {Transform: r.trim},
		&NodeReport{}:          {Transform: r.trim},
		resource("NodePolicy"): {Transform: r.trim},
		resource("Exemption"):  {Transform: r.trim},
		&coordinationv1.Lease{}: {
			Namespaces: map[string]cache.Config{r.Namespace: {}}, Transform: r.trim,
		},
		&corev1.Namespace{}: {
			Field: fields.OneTermEqualSelector(metav1.ObjectNameField, r.Namespace), Transform: r.trim,
		},
	}
}

// trim keeps what is read of an object.
func (r *Roster) trim(o any) (any, error) {
	switch o := o.(type) {
	case *corev1.Node:
		return r.strings.trimNode(o), nil
	case *NodeReport:
		return r.trimReport(o), nil
	case *coordinationv1.Lease:
		return r.strings.trimLease(o), nil
	case *unstructured.Unstructured:
		return trimPolicy(o), nil
	case *corev1.Namespace:
		return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: o.Name, ResourceVersion: o.ResourceVersion, Annotations: o.Annotations,
		}}, nil
	}
	return o, nil
}

// Watch feeds the roster from a cache that was made with ByObject. pending are the kinds, as
// resource.group, of which not all that was there at the beginning is in the roster yet.
func (r *Roster) Watch(ctx context.Context, c cache.Cache) (pending func() []string, err error) {
	type kind struct {
		name   string
		synced toolscache.InformerSynced
	}
	var all []kind
	watch := func(name string, o client.Object, set, remove func(any)) {
		if err != nil {
			return
		}
		var informer cache.Informer
		if informer, err = c.GetInformer(ctx, o, cache.BlockUntilSynced(false)); err != nil {
			return
		}
		var handle toolscache.ResourceEventHandlerRegistration
		handle, err = informer.AddEventHandler(handler(set, remove))
		if err == nil {
			all = append(all, kind{name, handle.HasSynced})
		}
	}
	ours := "." + v1alpha1.GroupVersion.Group
	watch("nodes", &corev1.Node{}, func(o any) { r.SetNode(o.(*corev1.Node)) }, func(o any) { r.DeleteNode(o.(*corev1.Node)) })
	watch("nodereports"+ours, &NodeReport{}, func(o any) { r.SetReport(o.(*NodeReport)) }, func(o any) { r.DeleteReport(o.(*NodeReport)) })
	watch("leases.coordination.k8s.io", &coordinationv1.Lease{}, func(o any) { r.SetLease(o.(*coordinationv1.Lease)) }, func(o any) { r.DeleteLease(o.(*coordinationv1.Lease)) })
	watch("nodepolicies"+ours, resource("NodePolicy"), asStored(r.SetPolicy, false), asStored(r.SetPolicy, true))
	watch("exemptions"+ours, resource("Exemption"), asStored(r.SetExemption, false), asStored(r.SetExemption, true))
	watch("namespaces", &corev1.Namespace{}, func(o any) { r.SetNamespace(o.(*corev1.Namespace)) }, func(any) { r.SetNamespace(nil) })
	if err != nil {
		return nil, fmt.Errorf("watching the cluster: %w", err)
	}
	return func() (names []string) {
		for _, k := range all {
			if !k.synced() {
				names = append(names, k.name)
			}
		}
		return names
	}, nil
}

func handler(set, remove func(any)) toolscache.ResourceEventHandler {
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    set,
		UpdateFunc: func(_, o any) { set(o) },
		DeleteFunc: func(o any) {
			if gone, ok := o.(toolscache.DeletedFinalStateUnknown); ok {
				o = gone.Obj
			}
			remove(o)
		},
	}
}

func asStored(set func(string, *unstructured.Unstructured), gone bool) func(any) {
	return func(o any) {
		u := o.(*unstructured.Unstructured)
		if gone {
			set(u.GetName(), nil)
			return
		}
		set(u.GetName(), u)
	}
}
