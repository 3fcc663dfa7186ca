package registration

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The webhooks of what is changed, by their names.
const (
	nodesWebhook    = "nodes" + suffix
	podsWebhook     = "repair" + suffix
	accountsWebhook = "repair-accounts" + suffix
	suffix          = ".hardgate.dev"
)

// FollowRepaired is the configuration of what is changed with the webhooks that repairs
// need now, and whether it differs. Where the gate is, and by which authority it is known,
// is taken from the webhook for nodes, and so is the namespace of its Service, which is
// excluded; excluded are the others that are. All else stays: what somebody has added, and
// the order. The error is for a configuration that does not say where the gate is.
func FollowRepaired(stored *admissionregistrationv1.MutatingWebhookConfiguration, excluded []string, repaired Repaired,
) (wanted *admissionregistrationv1.MutatingWebhookConfiguration, differs bool, _ error) {
	i := slices.IndexFunc(stored.Webhooks, named(nodesWebhook))
	if i < 0 {
		return nil, false, fmt.Errorf("the MutatingWebhookConfiguration %s has no webhook %s", stored.Name, nodesWebhook)
	}
	o, err := whereIs(&stored.Webhooks[i].ClientConfig, NodePath)
	if err != nil {
		return nil, false, fmt.Errorf("the webhook %s: %w", nodesWebhook, err)
	}
	o.Excluded, o.Repaired = excluded, repaired
	wanted = stored.DeepCopy()
	ours := o.repairs()
	for i := range ours {
		ours[i].ObjectSelector = &metav1.LabelSelector{} // as the API server stores it
	}
	for _, name := range []string{podsWebhook, accountsWebhook} {
		has, wants := slices.IndexFunc(wanted.Webhooks, named(name)), slices.IndexFunc(ours, named(name))
		switch {
		case has >= 0 && wants >= 0:
			wanted.Webhooks[has] = ours[wants]
		case has >= 0:
			wanted.Webhooks = slices.Delete(wanted.Webhooks, has, has+1)
		case wants >= 0:
			wanted.Webhooks = append(wanted.Webhooks, ours[wants])
		}
	}
	return wanted, !equality.Semantic.DeepEqual(stored.Webhooks, wanted.Webhooks), nil
}

func named(name string) func(admissionregistrationv1.MutatingWebhook) bool {
	return func(w admissionregistrationv1.MutatingWebhook) bool { return w.Name == name }
}

// whereIs reads where the gate is from how one of its paths is reached.
func whereIs(c *admissionregistrationv1.WebhookClientConfig, path string) (o Options, _ error) {
	o.CABundle = slices.Clone(c.CABundle)
	if s := c.Service; s != nil {
		if s.Path == nil || *s.Path != path {
			return o, errors.New("the path of its Service is not " + path)
		}
		o.Service = &ServiceRef{Namespace: s.Namespace, Name: s.Name}
		if s.Port != nil {
			o.Service.Port = *s.Port
		}
		return o, nil
	}
	if c.URL != nil {
		if base, ok := strings.CutSuffix(*c.URL, path); ok {
			o.URL = base
			return o, nil
		}
	}
	return o, errors.New("its URL does not end in " + path)
}
