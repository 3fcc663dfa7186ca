package webhook

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Setup adds the gate to a manager: the caches it reads, the watch of its policies
// and, once those are filled, the server. A request is never judged by rules that
// have not been read yet.
func Setup(ctx context.Context, mgr ctrl.Manager, gate *Gate, server *Server) error {
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	for _, o := range []client.Object{namespace, &corev1.ServiceAccount{}} {
		if _, err := mgr.GetCache().GetInformer(ctx, o); err != nil {
			return fmt.Errorf("watching %T: %w", o, err)
		}
	}
	if err := gate.WatchPolicies(ctx, mgr.GetCache()); err != nil {
		return err
	}
	return mgr.Add(&served{gate: gate, server: server, manager: mgr})
}

// served is the server behind its caches.
type served struct {
	gate    *Gate
	server  *Server
	manager ctrl.Manager
}

// NeedLeaderElection is false: every replica serves.
func (*served) NeedLeaderElection() bool { return false }

// Start implements manager.Runnable.
func (s *served) Start(ctx context.Context) error {
	caches := s.manager.GetCache()
	if !caches.WaitForCacheSync(ctx) {
		return errors.New("the caches were not filled before the end")
	}
	s.gate.reload(ctx, caches)
	return s.server.Start(ctx)
}
