package policy

import "github.com/hardgate-dev/hardgate/webhook/rbac"

// webhookConfigurations: CIS 1.8 5.1.12. resourceNames confine nothing: any configuration
// can be made to match everything. To read them is no power.
var webhookConfigurations = about("webhook-configurations",
	changes(rbac.ChangesValidatingWebhooks, "validatingwebhookconfigurations"),
	changes(rbac.ChangesMutatingWebhooks, "mutatingwebhookconfigurations"),
)

func changes(deed rbac.Deed, resource string) rbac.Power {
	return rbac.Power{
		Deed: deed, Verbs: []string{"create", "update", "patch", "delete", "deletecollection"}, Group: "admissionregistration.k8s.io",
		Resources: []string{resource}, Cluster: true,
	}
}
