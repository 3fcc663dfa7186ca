package registration

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
)

// BuildMutating makes the configuration of what is changed: nodes, when they register.
//
// It must not fail closed. The gate runs on a node: in a cluster that starts from nothing
// no node could register before the gate answers, and the gate could not answer before a
// node has registered. A node that comes while the gate is away goes without the taint,
// and the controller looks after it.
//
// The gate is asked again when another webhook has changed the node after it, which may
// have given it the label that a policy selects, or written its list of taints anew. It
// adds nothing to a node that has the taint.
func BuildMutating(o Options) *admissionregistrationv1.MutatingWebhookConfiguration {
	return &admissionregistrationv1.MutatingWebhookConfiguration{
		TypeMeta:   typeMeta("MutatingWebhookConfiguration"),
		ObjectMeta: objectMeta(),
		Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name:         "nodes.hardgate.dev",
			ClientConfig: o.client(NodePath),
			Rules: []admissionregistrationv1.RuleWithOperations{
				rule("", admissionregistrationv1.ClusterScope, []string{"nodes"}, create),
			},
			FailurePolicy:           new(ignore),
			MatchPolicy:             new(admissionregistrationv1.Equivalent),
			SideEffects:             new(admissionregistrationv1.SideEffectClassNone),
			TimeoutSeconds:          new(timeout),
			ReinvocationPolicy:      new(admissionregistrationv1.IfNeededReinvocationPolicy),
			AdmissionReviewVersions: []string{"v1"},
		}},
	}
}
