// Package registration builds the webhook configurations by which the API server
// calls the gate. It is the one place that says which requests the gate sees and
// what happens when the gate cannot answer.
package registration

import (
	"cmp"
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The paths that the webhook serves.
const (
	WorkloadPath   = "/validate"            // workloads, ServiceAccounts, roles and bindings
	NamespacedPath = "/validate-namespaced" // every other kind, in the namespace "default"
	PolicyPath     = "/validate-policy"     // policies and exemptions
	NodePath       = "/mutate-node"         // nodes that register
	RepairPath     = "/mutate"              // new pods and ServiceAccounts
	ImagePath      = "/image-policy"        // images of pods, which a plugin of the API server asks about: no configuration of ours does
	SelfTestPath   = "/self-test"           // whether the gate is reached
)

// Name is the name of both configurations.
const Name = "hardgate"

// namespaceName is a label that the API server sets and no tenant can change. No
// selector here uses any other.
const namespaceName = "kubernetes.io/metadata.name"

// Options says where the gate is and which namespaces it guards.
type Options struct {
	// URL is the base for clients outside the cluster: https://localhost:9443.
	// Exactly one of URL and Service is set.
	URL string
	// Service is the gate's Service.
	Service *ServiceRef
	// CABundle is the CA of the serving certificate, PEM.
	CABundle []byte
	// Enforced namespaces refuse what the gate cannot judge (failurePolicy Fail); in
	// all others, and in those that every cluster has of itself, such requests go through.
	Enforced []string
	// Excluded namespaces are not looked at, besides kube-system and the
	// Service's own, which never are: the gate must not keep a cluster from
	// mending itself.
	Excluded []string
	// Repaired says whose new objects are repaired.
	Repaired Repaired
}

// ServiceRef names a Service.
type ServiceRef struct {
	Namespace, Name string
	Port            int32
}

// timeout is short: a lease is renewed in two requests within 5 s, and webhooks in
// series add up.
const timeout int32 = 3

// Build makes the configuration of what is judged.
func Build(o Options) *admissionregistrationv1.ValidatingWebhookConfiguration {
	excluded := o.excluded()
	enforced := slices.DeleteFunc(sorted(o.Enforced), func(ns string) bool { return slices.Contains(excluded, ns) || slices.Contains(vital, ns) })

	webhooks := []admissionregistrationv1.ValidatingWebhook{
		o.webhook("policies", PolicyPath, fail, policyRules(), nil),
		o.selfTestEntry(),
		o.webhook("workloads", WorkloadPath, ignore, workloadRules(), names(metav1.LabelSelectorOpNotIn, slices.Concat(excluded, enforced))),
	}
	if len(enforced) > 0 {
		webhooks = append(webhooks,
			o.webhook("workloads-enforced", WorkloadPath, fail, workloadRules(), names(metav1.LabelSelectorOpIn, enforced)))
	}
	webhooks = append(webhooks, o.roles("roles", ignore, slices.Concat(roleRules(), clusterRoleRules()),
		names(metav1.LabelSelectorOpNotIn, slices.Concat(excluded, enforced))))
	if len(enforced) > 0 {
		webhooks = append(webhooks, o.roles("roles-enforced", fail, roleRules(), names(metav1.LabelSelectorOpIn, enforced)))
	}
	if !slices.Contains(excluded, metav1.NamespaceDefault) {
		// It matches every kind, so that it must never fail closed: what slips in is found by
		// the audit.
		w := o.webhook("namespaced", NamespacedPath, ignore, anyRules(), names(metav1.LabelSelectorOpIn, []string{metav1.NamespaceDefault}))
		w.MatchConditions = notElsewhere()
		webhooks = append(webhooks, w)
	}
	return &admissionregistrationv1.ValidatingWebhookConfiguration{
		TypeMeta:   typeMeta("ValidatingWebhookConfiguration"),
		ObjectMeta: objectMeta(),
		Webhooks:   webhooks,
	}
}

// excluded are the namespaces that are not looked at.
func (o Options) excluded() []string {
	excluded := append([]string{metav1.NamespaceSystem}, o.Excluded...)
	if o.Service != nil {
		excluded = append(excluded, o.Service.Namespace)
	}
	return sorted(excluded)
}

// Unasked are the namespaces about which the gate is never asked where own are hardgate's
// and excluded.
func Unasked(own ...string) []string { return append([]string{metav1.NamespaceSystem}, own...) }

func typeMeta(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: admissionregistrationv1.SchemeGroupVersion.String(), Kind: kind}
}

// objectMeta keeps AKS from changing the selectors of what it describes, by a label that
// whoever may label a namespace could get around the gate: the selectors leave out
// kube-system by themselves, and the controller would write its own back for ever.
func objectMeta() metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: Name, Labels: map[string]string{"app.kubernetes.io/name": Name},
		Annotations: map[string]string{"admissions.enforcer/disabled": "true"},
	}
}

var (
	fail   = admissionregistrationv1.Fail
	ignore = admissionregistrationv1.Ignore
)

func (o Options) webhook(name, path string, failure admissionregistrationv1.FailurePolicyType,
	rules []admissionregistrationv1.RuleWithOperations, namespaces *metav1.LabelSelector,
) admissionregistrationv1.ValidatingWebhook {
	return admissionregistrationv1.ValidatingWebhook{
		Name:                    name + ".hardgate.dev",
		ClientConfig:            o.client(path),
		Rules:                   rules,
		FailurePolicy:           &failure,
		MatchPolicy:             new(admissionregistrationv1.Equivalent),
		NamespaceSelector:       namespaces,
		SideEffects:             new(admissionregistrationv1.SideEffectClassNone),
		TimeoutSeconds:          new(timeout),
		AdmissionReviewVersions: []string{"v1"},
	}
}

// roles is a webhook for roles and bindings. No selector keeps those without a namespace
// away, so that it never fails closed on them.
func (o Options) roles(name string, failure admissionregistrationv1.FailurePolicyType, rules []admissionregistrationv1.RuleWithOperations, namespaces *metav1.LabelSelector,
) admissionregistrationv1.ValidatingWebhook {
	w := o.webhook(name, WorkloadPath, failure, rules, namespaces)
	w.MatchConditions = notByTheClusterItself()
	return w
}

// client says how a path is reached.
func (o Options) client(path string) admissionregistrationv1.WebhookClientConfig {
	client := admissionregistrationv1.WebhookClientConfig{CABundle: o.CABundle}
	if o.Service != nil {
		client.Service = &admissionregistrationv1.ServiceReference{
			Namespace: o.Service.Namespace, Name: o.Service.Name, Path: &path, Port: new(cmp.Or(o.Service.Port, 443)),
		}
	} else {
		client.URL = new(o.URL + path)
	}
	return client
}

// names selects namespaces by name.
func names(operator metav1.LabelSelectorOperator, values []string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
		{Key: namespaceName, Operator: operator, Values: sorted(values)},
	}}
}

func sorted(values []string) []string {
	values = slices.Clone(values)
	slices.Sort(values)
	return slices.Compact(values)
}
