package clusterwide

import (
	"slices"
	"testing"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

const enforce = "pod-security.kubernetes.io/enforce="

func TestPolicyControlActive(t *testing.T) {
	shop := registration.Options{Enforced: []string{"shop"}}
	all := refused("shop", len(takeover))
	const (
		none     = "Fail: 1 of 1 namespace without an active policy control: shop"
		unasked  = none + " | hardgate enforces, but the ValidatingWebhookConfiguration hardgate does not ask there and fail closed: shop"
		labelled = "Pass: 1 namespace covered by Pod Security: shop"
		ruled    = "Pass: 1 namespace covered by hardgate: shop"
		kyverno  = `{"metadata":{"name":"kyverno"},"webhooks":[{"name":"validate.kyverno.svc"%s,"rules":[{"operations":["CREATE"],"apiGroups":["*"],"apiVersions":["*"],"resources":["%s"]}]}]}`
		doubt    = "Manual: 1 namespace covered by ValidatingWebhookConfiguration kyverno, of which hardgate cannot tell what it refuses: shop"
		deny     = `{"metadata":{"name":"p"},"spec":{"matchConstraints":{"resourceRules":[{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["%s"]}]}}}`
		bind     = `{"metadata":{"name":"b"},"spec":{"policyName":"p","validationActions":["%s"]%s}}`
		denied   = "Manual: 1 namespace covered by ValidatingAdmissionPolicyBinding b, of which hardgate cannot tell what it refuses: shop"
	)
	judge(t, policyControl, map[string]struct {
		cluster cluster
		want    string
	}{
		"nothing":                        {cluster{ns("shop")}, none},
		"only the system":                {nil, "Unknown: no namespace was read"},
		"baseline":                       {cluster{ns("shop", enforce+"baseline")}, labelled},
		"restricted, pinned":             {cluster{ns("shop", enforce+"restricted", "pod-security.kubernetes.io/enforce-version=v1.2")}, labelled},
		"privileged":                     {cluster{ns("shop", enforce+"privileged")}, none + " | Pod Security allows everything at the level privileged: shop"},
		"warns and audits":               {cluster{ns("shop", "pod-security.kubernetes.io/warn=restricted", "pod-security.kubernetes.io/audit=restricted")}, none + " | Pod Security warns or audits only: shop"},
		"misspelt":                       {cluster{ns("shop", enforce+"Baseline")}, `Manual: Pod Security has a level that does not exist; the API server takes it for restricted, unless Pod Security is off: shop="Baseline"`},
		"empty":                          {cluster{ns("shop", enforce)}, `Manual: Pod Security has a level that does not exist; the API server takes it for restricted, unless Pod Security is off: shop=""`},
		"being deleted":                  {cluster{ns("shop", enforce+"baseline"), leaving("cart")}, labelled},
		"hardgate":                       {cluster{ns("shop"), all, registered(shop, nil)}, ruled},
		"hardgate, some of it":           {cluster{ns("shop"), refused("shop", 7), registered(shop, nil)}, none + " | hardgate does not enforce all of privileged, host-pid, host-ipc, host-network, added-capabilities, windows-host-process, host-path, host-ports: shop (7 of 8)"},
		"nobody asks hardgate":           {cluster{ns("shop"), all}, none + " | hardgate enforces, but there is no ValidatingWebhookConfiguration hardgate: shop"},
		"asked, open":                    {cluster{ns("shop"), all, registered(registration.Options{}, nil)}, unasked},
		"asked elsewhere":                {cluster{ns("shop"), all, registered(registration.Options{Enforced: []string{"cart"}}, nil)}, unasked},
		"excluded":                       {cluster{ns("shop"), all, registered(registration.Options{Enforced: []string{"shop"}, Excluded: []string{"shop"}}, nil)}, unasked},
		"not about pods":                 {cluster{ns("shop"), all, registered(shop, replaced(`"pods"`, `"pods/log"`))}, unasked},
		"not about ephemeral containers": {cluster{ns("shop"), all, registered(shop, replaced(`"pods/ephemeralcontainers",`, ``))}, unasked},
		"on a condition":                 {cluster{ns("shop"), all, registered(shop, replaced(`"sideEffects":"None"`, `"matchConditions":[{"name":"a","expression":"false"}]`))}, unasked},
		"by a label of the object":       {cluster{ns("shop"), all, registered(shop, replaced(`"sideEffects":"None"`, `"objectSelector":{"matchLabels":{"a":"b"}}`))}, unasked},
		"another path":                   {cluster{ns("shop"), all, registered(shop, replaced(`/validate"`, `/validate-policy"`))}, unasked},
		"somebody else's configuration":  {cluster{ns("shop"), all, registered(shop, replaced(`"name":"hardgate"`, `"name":"hardgate2"`))}, "Manual: 1 namespace covered by ValidatingWebhookConfiguration hardgate2, of which hardgate cannot tell what it refuses: shop"},

		"another webhook":          {cluster{ns("shop"), item(webhookConfigurations, kyverno, "", "*")}, doubt},
		"another webhook, by name": {cluster{ns("shop"), item(webhookConfigurations, kyverno, `,"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"cart"}}`, "pods")}, none},
		"a webhook for services":   {cluster{ns("shop"), item(webhookConfigurations, kyverno, "", "services")}, none},
		"a webhook for statuses":   {cluster{ns("shop"), item(webhookConfigurations, kyverno, "", "*/status")}, none},
		"a webhook to ask for":     {cluster{ns("shop"), item(webhookConfigurations, kyverno, `,"objectSelector":{"matchLabels":{"check":"me"}}`, "pods")}, none},
		"a webhook to opt out of":  {cluster{ns("shop"), item(webhookConfigurations, kyverno, `,"objectSelector":{"matchExpressions":[{"key":"skip","operator":"DoesNotExist"}]}`, "pods")}, doubt},

		"a policy that denies":   {cluster{ns("shop"), item(admissionPolicies, deny, "pods"), item(admissionBindings, bind, "Deny", "")}, denied},
		"bound before it":        {cluster{ns("shop"), item(admissionBindings, bind, "Deny", ""), item(admissionPolicies, deny, "pods")}, denied},
		"a policy that warns":    {cluster{ns("shop"), item(admissionPolicies, deny, "pods"), item(admissionBindings, bind, "Warn", "")}, none},
		"a policy for nodes":     {cluster{ns("shop"), item(admissionPolicies, deny, "nodes"), item(admissionBindings, bind, "Deny", "")}, none},
		"a policy without bonds": {cluster{ns("shop"), item(admissionPolicies, deny, "pods")}, none},
		"bonds without a policy": {cluster{ns("shop"), item(admissionBindings, bind, "Deny", "")}, none},
		"bound elsewhere": {
			cluster{ns("shop"), item(admissionPolicies, deny, "pods"), item(admissionBindings, bind, "Deny", `,"matchResources":{"namespaceSelector":{"matchLabels":{"team":"a"}}}`)}, none,
		},

		"exempt":                      {cluster{ns("shop"), exempting(policyControl, "shop", "batch")}, "Exempt: exempt by batch: shop"},
		"exempt for nothing":          {cluster{ns("shop", enforce+"baseline"), exempting(policyControl, "shop", "batch")}, labelled},
		"exempt of another":           {cluster{ns("shop"), exempting("privileged", "shop", "batch")}, none},
		"exempt, whatever else there": {cluster{ns("shop"), exempting(policyControl, "shop", "batch"), item(webhookConfigurations, kyverno, "", "*")}, "Exempt: exempt by batch: shop"},

		"webhooks not read": {cluster{ns("shop"), unread(webhookConfigurations)}, "Unknown: not read: validatingwebhookconfigurations.admissionregistration.k8s.io: forbidden | 1 of 1 namespace without an active policy control: shop"},
		"policies not read, and no need": {
			cluster{ns("shop", enforce+"baseline"), unread(admissionPolicies)},
			"Unknown: not read: validatingadmissionpolicies.admissionregistration.k8s.io: forbidden | 1 namespace covered by Pod Security: shop",
		},
		"namespaces not all read":      {cluster{ns("shop", enforce+"baseline"), unread("namespaces")}, "Unknown: not read: namespaces: forbidden | 1 namespace covered by Pod Security: shop"},
		"one is enough":                {cluster{ns("shop"), unread("namespaces")}, none + " | not read: namespaces: forbidden"},
		"pods not read":                {cluster{ns("shop", enforce+"baseline"), unread("pods")}, labelled},
		"the worst is that of all":     {cluster{ns("a", enforce+"baseline"), ns("b"), ns("c", enforce+"x"), item(webhookConfigurations, kyverno, `,"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"d"}}`, "pods"), ns("d")}, "Fail: 1 of 4 namespaces without an active policy control: b | 1 namespace covered by ValidatingWebhookConfiguration kyverno, of which hardgate cannot tell what it refuses: d | Pod Security has a level that does not exist; the API server takes it for restricted, unless Pod Security is off: c=\"x\" | 1 namespace covered by Pod Security: a"},
		"no namespace is the system's": {cluster{ns("kube-system2")}, "Fail: 1 of 1 namespace without an active policy control: kube-system2"},
	})
}

// Takeover are the rows of level 1 in section 5.2 but for two, in every edition that has them.
func TestTakeoverIsLevelOne(t *testing.T) {
	left := []control.ID{"policy-control-active", "privilege-escalation", "net-raw", "assigned-capabilities"}
	for _, id := range Takeover() {
		c, ok := control.Get(id)
		if !ok || c.Level != control.L1 {
			t.Errorf("%s is in the catalogue: %t, level %s", id, ok, c.Level)
		}
	}
	for _, r := range control.SourceRows() {
		if r.Document != "kubernetes" || len(r.ID) < 4 || r.ID[:4] != "5.2." || r.Level != control.L1 {
			continue
		}
		if slices.Contains(takeover, r.Control) == slices.Contains(left, r.Control) {
			t.Errorf("%s %s is of level 1 and neither counted nor left out, or both", r.ID, r.Control)
		}
	}
}
