package registration

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

const (
	// policiesWebhook is the one that every configuration has.
	policiesWebhook = "policies" + suffix
	// enforcedWebhook is the one that fails closed on workloads.
	enforcedWebhook = "workloads-enforced" + suffix
)

// vital are the namespaces that every cluster makes for itself: they must work without
// the gate, so that nothing fails closed there. What is enforced is judged there all the
// same, as long as the gate answers.
var vital = []string{metav1.NamespaceSystem, metav1.NamespacePublic, "kube-node-lease"}

// Vital is whether nothing fails closed in a namespace, whatever is enforced there.
func Vital(namespace string) bool { return slices.Contains(vital, namespace) }

// FollowEnforced is the configuration of what is judged with the namespaces that are
// enforced now, and whether it differs. Where the gate is, and by which authority it is
// known, is taken from what is stored, and so is the namespace of its Service, which is
// excluded; excluded are the others that are. Webhooks that are not ours stay. The error
// is for a configuration that does not say where the gate is.
func FollowEnforced(stored *admissionregistrationv1.ValidatingWebhookConfiguration, excluded, enforced []string,
) (wanted *admissionregistrationv1.ValidatingWebhookConfiguration, differs bool, _ error) {
	i := slices.IndexFunc(stored.Webhooks, func(w admissionregistrationv1.ValidatingWebhook) bool { return w.Name == policiesWebhook })
	if i < 0 {
		return nil, false, fmt.Errorf("the ValidatingWebhookConfiguration %s has no webhook %s", stored.Name, policiesWebhook)
	}
	o, err := whereIs(&stored.Webhooks[i].ClientConfig, PolicyPath)
	if err != nil {
		return nil, false, fmt.Errorf("the webhook %s: %w", policiesWebhook, err)
	}
	o.Excluded, o.Enforced = excluded, enforced
	wanted = stored.DeepCopy()
	wanted.Webhooks = slices.DeleteFunc(wanted.Webhooks, func(w admissionregistrationv1.ValidatingWebhook) bool { return strings.HasSuffix(w.Name, suffix) })
	ours := Build(o).Webhooks
	for i := range ours { // as the API server stores them
		ours[i].ObjectSelector = &metav1.LabelSelector{}
		if ours[i].NamespaceSelector == nil {
			ours[i].NamespaceSelector = &metav1.LabelSelector{}
		}
	}
	wanted.Webhooks = append(ours, wanted.Webhooks...)
	return wanted, !equality.Semantic.DeepEqual(stored.Webhooks, wanted.Webhooks), nil
}

// SelfTest finds what in our webhooks could lock the cluster or hardgate itself out, or
// keep others waiting: a webhook that fails closed and can match one of the namespaces
// that must work without the gate, that selects by a label that tenants can set, that
// matches every resource, or what hardgate itself writes; and one that is waited for too
// long. Nothing that it finds may be put in force.
func SelfTest(c *admissionregistrationv1.ValidatingWebhookConfiguration, own ...string) error {
	var errs []error
	for i := range c.Webhooks {
		w := &c.Webhooks[i]
		if !strings.HasSuffix(w.Name, suffix) {
			continue // somebody else answers for it
		}
		for _, err := range dangers(w, slices.Concat(vital, own)) {
			errs = append(errs, fmt.Errorf("webhook %s: %w", w.Name, err))
		}
	}
	return errors.Join(errs...)
}

func dangers(w *admissionregistrationv1.ValidatingWebhook, working []string) (errs []error) {
	if w.TimeoutSeconds == nil || *w.TimeoutSeconds > timeout {
		errs = append(errs, fmt.Errorf("the API server would wait for longer than %d s", timeout))
	}
	if w.FailurePolicy != nil && *w.FailurePolicy == ignore {
		return errs
	}
	for _, r := range w.Rules {
		if slices.Contains(r.Resources, "*") || slices.Contains(r.APIGroups, "*") {
			errs = append(errs, errors.New("it fails closed and matches every resource"))
		}
		if r.Scope == nil || *r.Scope != admissionregistrationv1.NamespacedScope {
			if slices.Equal(r.APIGroups, []string{ownGroup}) {
				errs = append(errs, dangersToReports(w, r.Resources)...)
			} else {
				errs = append(errs, fmt.Errorf("it fails closed on objects of the whole cluster: %s", strings.Join(r.Resources, ", ")))
			}
		}
		if r.Scope != nil && *r.Scope == admissionregistrationv1.ClusterScope {
			continue
		}
		selector, err := selectorOf(w.NamespaceSelector)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, ns := range working {
			if selector.Matches(labels.Set{namespaceName: ns}) {
				errs = append(errs, fmt.Errorf("it fails closed in %s", ns))
			}
		}
	}
	return errs
}

// dangersToReports finds kinds of ours that nobody writes by hand: who writes them must not
// depend on the gate. The self-test alone asks about one, by a name that none of them has.
func dangersToReports(w *admissionregistrationv1.ValidatingWebhook, resources []string) (errs []error) {
	if slices.Equal(w.MatchConditions, onlySelfTest()) {
		return nil
	}
	for _, r := range resources {
		if !slices.Contains(policyResources, r) {
			errs = append(errs, fmt.Errorf("it fails closed on what hardgate itself writes: %s", r))
		}
	}
	return errs
}

// selectorOf reads a selector, and refuses labels that a tenant can set.
func selectorOf(s *metav1.LabelSelector) (labels.Selector, error) {
	if s == nil {
		return labels.Everything(), nil
	}
	for key := range s.MatchLabels {
		if key != namespaceName {
			return nil, fmt.Errorf("it fails closed by the label %s, which is not the API server's own", key)
		}
	}
	for _, e := range s.MatchExpressions {
		if e.Key != namespaceName {
			return nil, fmt.Errorf("it fails closed by the label %s, which is not the API server's own", e.Key)
		}
	}
	return metav1.LabelSelectorAsSelector(s)
}
