package clusterwide

import (
	"encoding/json"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// gates are what may refuse pods at the API server's door.
type gates struct {
	// registered is whether hardgate's configuration is there at all.
	registered bool
	// ours select the namespaces in which hardgate is asked and what it cannot answer is
	// refused.
	ours []labels.Selector
	// foreign are others' webhooks, and bindings those of admission policies that deny.
	foreign  []gate
	bindings []binding
	policies map[string]labels.Selector // that are about pods, by name
}

type gate struct {
	name     string
	selector labels.Selector
}

type binding struct {
	gate
	policy string
}

// asked is whether hardgate answers for pods of a namespace, or nobody creates any.
func (g *gates) asked(has labels.Set) bool {
	return slices.ContainsFunc(g.ours, func(s labels.Selector) bool { return s.Matches(has) })
}

// others are the names of what else may refuse pods of a namespace.
func (g *gates) others(has labels.Set) (names []string) {
	for _, o := range g.foreign {
		if o.selector.Matches(has) {
			names = append(names, o.name)
		}
	}
	for _, b := range g.bindings {
		if policy, ok := g.policies[b.policy]; ok && policy.Matches(has) && b.selector.Matches(has) {
			names = append(names, b.name)
		}
	}
	return names
}

func (f *Facts) readWebhooks(item []byte) error {
	var c admissionregistrationv1.ValidatingWebhookConfiguration
	if err := json.Unmarshal(item, &c); err != nil {
		return err
	}
	if c.Name == registration.Name {
		f.gates.registered = true
	}
	for i := range c.Webhooks {
		w := &c.Webhooks[i]
		selector, err := selectorOf(w.NamespaceSelector)
		if err != nil {
			return err
		}
		switch {
		case c.Name == registration.Name && strings.HasSuffix(w.Name, ".hardgate.dev"):
			if closed(w) {
				f.gates.ours = append(f.gates.ours, selector)
			}
		case asksForPods(w.Rules) && unlabelledToo(w.ObjectSelector):
			f.gates.foreign = append(f.gates.foreign, gate{"ValidatingWebhookConfiguration " + c.Name, selector})
		}
	}
	return nil
}

// closed is whether a webhook of hardgate's is asked about every new pod and every new
// container of one, and nothing goes through when it does not answer.
func closed(w *admissionregistrationv1.ValidatingWebhook) bool {
	path := ""
	switch c := &w.ClientConfig; {
	case c.Service != nil && c.Service.Path != nil:
		path = *c.Service.Path
	case c.URL != nil:
		path = *c.URL
	}
	return strings.HasSuffix(path, registration.WorkloadPath) &&
		(w.FailurePolicy == nil || *w.FailurePolicy == admissionregistrationv1.Fail) &&
		len(w.MatchConditions) == 0 && empty(w.ObjectSelector) &&
		asksForPods(w.Rules) && asks(w.Rules, "pods", "ephemeralcontainers", admissionregistrationv1.Update)
}

func (f *Facts) readPolicy(item []byte) error {
	var p admissionregistrationv1.ValidatingAdmissionPolicy
	if err := json.Unmarshal(item, &p); err != nil {
		return err
	}
	m := p.Spec.MatchConstraints
	if m == nil || !asksForPods(unnamed(m.ResourceRules)) || asksForPods(unnamed(m.ExcludeResourceRules)) || !unlabelledToo(m.ObjectSelector) {
		return nil
	}
	selector, err := selectorOf(m.NamespaceSelector)
	if err != nil {
		return err
	}
	if f.gates.policies == nil {
		f.gates.policies = map[string]labels.Selector{}
	}
	f.gates.policies[p.Name] = selector
	return nil
}

func (f *Facts) readBinding(item []byte) error {
	var b admissionregistrationv1.ValidatingAdmissionPolicyBinding
	if err := json.Unmarshal(item, &b); err != nil {
		return err
	}
	if !slices.Contains(b.Spec.ValidationActions, admissionregistrationv1.Deny) {
		return nil
	}
	selector := labels.Everything()
	if m := b.Spec.MatchResources; m != nil {
		var err error
		if selector, err = selectorOf(m.NamespaceSelector); err != nil {
			return err
		}
		if len(m.ResourceRules) > 0 && !asksForPods(unnamed(m.ResourceRules)) || asksForPods(unnamed(m.ExcludeResourceRules)) || !unlabelledToo(m.ObjectSelector) {
			return nil
		}
	}
	f.gates.bindings = append(f.gates.bindings, binding{gate{"ValidatingAdmissionPolicyBinding " + b.Name, selector}, b.Spec.PolicyName})
	return nil
}

// unnamed are the rules that are about objects of any name.
func unnamed(named []admissionregistrationv1.NamedRuleWithOperations) (rules []admissionregistrationv1.RuleWithOperations) {
	for _, n := range named {
		if len(n.ResourceNames) == 0 {
			rules = append(rules, n.RuleWithOperations)
		}
	}
	return rules
}

func asksForPods(rules []admissionregistrationv1.RuleWithOperations) bool {
	return asks(rules, "pods", "", admissionregistrationv1.Create)
}

// asks is whether rules match an operation on a resource of the core group.
func asks(rules []admissionregistrationv1.RuleWithOperations, resource, subresource string, operation admissionregistrationv1.OperationType) bool {
	// "*" is every resource and no subresource of any.
	names := []string{resource, "*", "*/*"}
	if subresource != "" {
		names = []string{resource + "/" + subresource, resource + "/*", "*/" + subresource, "*/*"}
	}
	return slices.ContainsFunc(rules, func(r admissionregistrationv1.RuleWithOperations) bool {
		return (r.Scope == nil || *r.Scope != admissionregistrationv1.ClusterScope) &&
			(slices.Contains(r.Operations, operation) || slices.Contains(r.Operations, admissionregistrationv1.OperationAll)) &&
			(slices.Contains(r.APIGroups, "") || slices.Contains(r.APIGroups, "*")) &&
			(slices.Contains(r.APIVersions, "v1") || slices.Contains(r.APIVersions, "*")) &&
			slices.ContainsFunc(names, func(n string) bool { return slices.Contains(r.Resources, n) })
	})
}

func selectorOf(s *metav1.LabelSelector) (labels.Selector, error) {
	if s == nil { // which elsewhere selects nothing
		return labels.Everything(), nil
	}
	return metav1.LabelSelectorAsSelector(s)
}

func empty(s *metav1.LabelSelector) bool {
	return s == nil || len(s.MatchLabels)+len(s.MatchExpressions) == 0
}

// unlabelledToo is whether a selector of objects matches those without labels. What must be
// asked for by a label covers nothing.
func unlabelledToo(s *metav1.LabelSelector) bool {
	selector, err := selectorOf(s)
	return err == nil && selector.Matches(labels.Set{})
}
