package registration

import (
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Repaired says where new objects are repaired: what ruling.Book.Repaired returns.
type Repaired struct {
	// Namespaces are those whose new pods are.
	Namespaces []string
	// Everywhere is whether new pods of a namespace that is not yet known are, too: then
	// the gate is asked about those of all namespaces that are not excluded. To select by
	// name alone would leave out the first pods of every new one.
	Everywhere bool
	// Accounts is whether any account "default" is.
	Accounts bool
}

// BuildMutating makes the configuration of what is changed: nodes, when they register,
// and what is repaired. Where nothing is, pods pay for no second call.
//
// Nothing here may fail closed. The gate runs on a node: in a cluster that starts from
// nothing no node could register before the gate answers, and the gate could not answer
// before a node has registered. A node that comes while the gate is away goes without the
// taint, and the controller looks after it; a pod goes unrepaired, and is judged.
//
// The gate is asked again when another webhook has changed the object after it: it may
// have given a node the label that a policy selects, or written its list of taints anew,
// or put a sidecar into a pod. The gate adds nothing that is there.
func BuildMutating(o Options) *admissionregistrationv1.MutatingWebhookConfiguration {
	return &admissionregistrationv1.MutatingWebhookConfiguration{
		TypeMeta:   typeMeta("MutatingWebhookConfiguration"),
		ObjectMeta: objectMeta(),
		Webhooks: append([]admissionregistrationv1.MutatingWebhook{
			o.mutating("nodes", NodePath, admissionregistrationv1.ClusterScope, "nodes", nil),
		}, o.repairs()...),
	}
}

// repairs are the webhooks for pods and for ServiceAccounts. The account "default" is made
// at once with its namespace, so that a list of namespaces would always come too late for
// it: it is asked about everywhere, once in the life of a namespace.
func (o Options) repairs() (webhooks []admissionregistrationv1.MutatingWebhook) {
	excluded := o.excluded()
	repaired := slices.DeleteFunc(sorted(o.Repaired.Namespaces), func(ns string) bool { return slices.Contains(excluded, ns) })
	pods := names(metav1.LabelSelectorOpIn, repaired)
	if o.Repaired.Everywhere {
		pods = names(metav1.LabelSelectorOpNotIn, excluded)
	}
	if len(repaired) > 0 || o.Repaired.Everywhere {
		webhooks = append(webhooks, o.mutating("repair", RepairPath, admissionregistrationv1.NamespacedScope, "pods", pods))
	}
	if o.Repaired.Accounts {
		w := o.mutating("repair-accounts", RepairPath, admissionregistrationv1.NamespacedScope, "serviceaccounts", names(metav1.LabelSelectorOpNotIn, excluded))
		w.MatchConditions = []admissionregistrationv1.MatchCondition{{Name: "default", Expression: `request.name == "default"`}}
		webhooks = append(webhooks, w)
	}
	return webhooks
}

// mutating is a webhook for the creation of one resource of the core group.
func (o Options) mutating(name, path string, scope admissionregistrationv1.ScopeType, resource string, namespaces *metav1.LabelSelector,
) admissionregistrationv1.MutatingWebhook {
	return admissionregistrationv1.MutatingWebhook{
		Name:                    name + ".hardgate.dev",
		ClientConfig:            o.client(path),
		Rules:                   []admissionregistrationv1.RuleWithOperations{rule("", scope, []string{resource}, create)},
		FailurePolicy:           new(ignore),
		MatchPolicy:             new(admissionregistrationv1.Equivalent),
		NamespaceSelector:       namespaces,
		SideEffects:             new(admissionregistrationv1.SideEffectClassNone),
		TimeoutSeconds:          new(timeout),
		ReinvocationPolicy:      new(admissionregistrationv1.IfNeededReinvocationPolicy),
		AdmissionReviewVersions: []string{"v1"},
	}
}
