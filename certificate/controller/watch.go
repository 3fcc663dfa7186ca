package controller

import (
	"context"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// watch wakes when something is changed that certificates are kept in: where a bundle is
// lost, as by an installation that writes the registration anew, the API server refuses
// the webhook until it is back. Nothing depends on it: what is missed is seen by the tick.
func (i *Issuer) watch(ctx context.Context) <-chan struct{} {
	wake := make(chan struct{}, 1)
	in := client.InNamespace(i.Namespace)
	for _, w := range []struct {
		list client.ObjectList
		name string
		opts []client.ListOption
	}{
		{&admissionregistrationv1.ValidatingWebhookConfigurationList{}, registration.Name, nil},
		{&admissionregistrationv1.MutatingWebhookConfigurationList{}, registration.Name, nil},
		{&corev1.SecretList{}, CASecret, []client.ListOption{in}},
		{&corev1.SecretList{}, ServingSecret, []client.ListOption{in}},
	} {
		opts := append([]client.ListOption{client.MatchingFields{"metadata.name": w.name}}, w.opts...)
		go func() {
			for ctx.Err() == nil {
				began := time.Now()
				if err := i.watchOne(ctx, w.list, opts, wake); err != nil {
					logf.FromContext(ctx).V(1).Info("not watching", "name", w.name, "cause", err.Error())
				}
				// Ended by the API server after minutes, or refused at once.
				select {
				case <-ctx.Done():
				case <-time.After(max(0, tick-time.Since(began))):
				}
			}
		}()
	}
	return wake
}

func (i *Issuer) watchOne(ctx context.Context, list client.ObjectList, opts []client.ListOption, wake chan<- struct{}) error {
	w, err := i.client.Watch(ctx, list, opts...)
	if err != nil {
		return err
	}
	defer w.Stop()
	for event := range w.ResultChan() {
		if event.Type == watch.Error {
			return nil
		}
		select {
		case wake <- struct{}{}:
		default: // it will be seen with the one before
		}
	}
	return nil
}
