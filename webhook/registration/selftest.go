package registration

import (
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
)

// SelfTestObject is the name of the ClusterReport with which the controller asks whether
// the API server reaches the gate. There never is one: its creation is refused by the
// gate, and by the API server where the gate does not answer.
const SelfTestObject = "self-test"

const selfTestWebhook = SelfTestObject + suffix

// selfTestEntry is the webhook of the self-test. It has to fail closed, or a gate that is
// not reached could not be told from one that is not asked. The condition keeps it to the
// one object: a controller that makes its real report does not depend on the gate.
func (o Options) selfTestEntry() admissionregistrationv1.ValidatingWebhook {
	r := rule(ownGroup, admissionregistrationv1.ClusterScope, []string{"clusterreports"}, create)
	r.APIVersions = []string{"*"}
	w := o.webhook(SelfTestObject, SelfTestPath, fail, []admissionregistrationv1.RuleWithOperations{r}, nil)
	w.MatchConditions = onlySelfTest()
	return w
}

// onlySelfTest takes no field for granted: an error in it would refuse the request.
func onlySelfTest() []admissionregistrationv1.MatchCondition {
	return []admissionregistrationv1.MatchCondition{{
		Name: SelfTestObject, Expression: `object.?metadata.?name.orValue("") == "` + SelfTestObject + `"`,
	}}
}

// denial is how the gate's answer to the self-test begins.
const denial = "the API server reaches hardgate's webhook, version "

// SelfTestDenial is what the gate of this version says to the self-test.
func SelfTestDenial(version string) string { return denial + version }

// Reached reads the API server's answer to the self-test: whether it is the gate's own
// denial, and of which version. Anything else is none: nil is the answer of an API server
// that asks no webhook.
func Reached(err error) (version string, reached bool) {
	if err == nil {
		return "", false
	}
	return strings.CutPrefix(err.Error(), `admission webhook "`+selfTestWebhook+`" denied the request: `+denial)
}

// Closed are the namespaces in which a configuration that Build has made fails closed.
func Closed(c *admissionregistrationv1.ValidatingWebhookConfiguration) (namespaces []string) {
	for i := range c.Webhooks {
		w := &c.Webhooks[i]
		if w.Name != enforcedWebhook || w.NamespaceSelector == nil {
			continue
		}
		for _, e := range w.NamespaceSelector.MatchExpressions {
			if e.Key == namespaceName && e.Operator == "In" {
				namespaces = append(namespaces, e.Values...)
			}
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(namespaces)))
}

// maxNames bounds the names of the namespaces that fail closed, in bytes. Each is in four
// selectors, and what is stored is 1.5 MiB at most: a configuration that is larger could
// neither be widened nor narrowed any more.
const maxNames = 256 << 10

// Fit are as many of the namespaces that are enforced as a configuration has room for, those
// that fail closed already first, and how many are left out.
func Fit(enforced, closed []string) (fit []string, left int) {
	room := maxNames
	for _, already := range []bool{true, false} {
		for _, ns := range enforced {
			if slices.Contains(vital, ns) || has(closed, ns) != already {
				continue
			}
			if room -= len(ns) + 4; room < 0 { // with quotes and a comma
				left++
				continue
			}
			fit = append(fit, ns)
		}
	}
	return fit, left
}

func has(sorted []string, name string) bool {
	_, found := slices.BinarySearch(sorted, name)
	return found
}
