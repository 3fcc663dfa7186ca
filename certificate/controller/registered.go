package controller

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hardgate-dev/hardgate/certificate"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// suffix is that of the names of our webhooks.
const suffix = ".hardgate.dev"

// registered is one webhook configuration, and how our webhooks in it are reached. These
// point into it.
type registered struct {
	object  client.Object
	clients []*admissionregistrationv1.WebhookClientConfig
}

// readRegistered reads both configurations; those that are not there are left out.
func readRegistered(ctx context.Context, c client.Reader) (all []registered, _ error) {
	for _, o := range []client.Object{&admissionregistrationv1.ValidatingWebhookConfiguration{}, &admissionregistrationv1.MutatingWebhookConfiguration{}} {
		err := c.Get(ctx, client.ObjectKey{Name: registration.Name}, o)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading the webhook configurations: %w", err)
		}
		all = append(all, registered{o, clientsOf(o)})
	}
	return all, nil
}

// clientsOf are those of our webhooks.
func clientsOf(o client.Object) (clients []*admissionregistrationv1.WebhookClientConfig) {
	add := func(name string, c *admissionregistrationv1.WebhookClientConfig) {
		if strings.HasSuffix(name, suffix) {
			clients = append(clients, c)
		}
	}
	switch o := o.(type) {
	case *admissionregistrationv1.ValidatingWebhookConfiguration:
		for i := range o.Webhooks {
			add(o.Webhooks[i].Name, &o.Webhooks[i].ClientConfig)
		}
	case *admissionregistrationv1.MutatingWebhookConfiguration:
		for i := range o.Webhooks {
			add(o.Webhooks[i].Name, &o.Webhooks[i].ClientConfig)
		}
	}
	return clients
}

// injectors are the annotations by which cert-manager injects a bundle.
var injectors = []string{"cert-manager.io/inject-ca-from", "cert-manager.io/inject-ca-from-secret", "cert-manager.io/inject-apiserver-ca"}

// injected is whether cert-manager is asked for the bundle.
func (r registered) injected() bool {
	return slices.ContainsFunc(injectors, func(name string) bool { return r.object.GetAnnotations()[name] != "" })
}

// reachedBy are the names by which API servers reach the webhook.
func reachedBy(all []registered) (names []string) {
	for _, r := range all {
		for _, c := range r.clients {
			switch {
			case c.Service != nil:
				names = append(names, certificate.ServiceName(c.Service.Namespace, c.Service.Name))
			case c.URL != nil:
				if u, err := url.Parse(*c.URL); err == nil {
					names = append(names, u.Hostname())
				}
			}
		}
	}
	return names
}

func bundles(all []registered) (text [][]byte) {
	for _, r := range all {
		for _, c := range r.clients {
			text = append(text, c.CABundle)
		}
	}
	return text
}
