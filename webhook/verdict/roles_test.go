package verdict

import (
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// What an update of a role is denied for: whatever it grants that the old one did not, and
// nothing else, however the rules are written.
func TestUpdatesOfRoles(t *testing.T) {
	const (
		secrets = `{"verbs":["get"],"apiGroups":[""],"resources":["secrets"]}`
		bind    = `{"verbs":["bind"],"apiGroups":["rbac.authorization.k8s.io"],"resources":["clusterroles"]`
		view    = bind + `,"resourceNames":["view"]}`
		edit    = bind + `,"resourceNames":["edit"]}`
		both    = bind + `,"resourceNames":["edit","view"]}`
		any     = bind + `}`
		all     = `{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}`
		read    = `{"verbs":["get","list"],"apiGroups":["*"],"resources":["*"]}`
	)
	rule := func(verbs, groups, resources string) string {
		return `{"verbs":[` + verbs + `],"apiGroups":[` + groups + `],"resources":[` + resources + `]}`
	}
	many := func(n int) string { return strings.TrimSuffix(strings.Repeat(view+",", n), ",") }
	tests := map[string]struct {
		control  control.ID
		old, new string
		denied   bool
	}{
		"the same":                         {"bind-impersonate-escalate", view, view, false},
		"another name":                     {"bind-impersonate-escalate", view, edit, true},
		"one name more":                    {"bind-impersonate-escalate", view, both, true},
		"one name less":                    {"bind-impersonate-escalate", both, view, false},
		"every name":                       {"bind-impersonate-escalate", both, any, true},
		"a name of all":                    {"bind-impersonate-escalate", any, view, false},
		"names in one rule":                {"bind-impersonate-escalate", view + "," + edit, both, false},
		"names in rules of their own":      {"bind-impersonate-escalate", both, edit + "," + view, false},
		"an empty name is every name":      {"bind-impersonate-escalate", view, bind + `,"resourceNames":["view",""]}`, true},
		"from roles to cluster roles":      {"bind-impersonate-escalate", rule(`"bind"`, `"rbac.authorization.k8s.io"`, `"roles"`), any, true},
		"from roles to escalation":         {"bind-impersonate-escalate", rule(`"escalate"`, `"rbac.authorization.k8s.io"`, `"roles"`), rule(`"escalate"`, `"*"`, `"clusterroles"`), true},
		"from users to groups":             {"bind-impersonate-escalate", rule(`"impersonate"`, `""`, `"users"`), rule(`"impersonate"`, `""`, `"users","groups"`), true},
		"one name more of very many":       {"bind-impersonate-escalate", many(2000), many(2001), true},
		"the same very many":               {"bind-impersonate-escalate", many(2000), many(2000), false},
		"every name after very many":       {"bind-impersonate-escalate", many(2000), any, true},
		"very many of all":                 {"bind-impersonate-escalate", any, many(2000), false},
		"webhooks by name, then all":       {"webhook-configurations", `{"verbs":["patch"],"apiGroups":["admissionregistration.k8s.io"],"resources":["mutatingwebhookconfigurations"],"resourceNames":["mine"]}`, rule(`"patch"`, `"admissionregistration.k8s.io"`, `"mutatingwebhookconfigurations"`), true},
		"more than one secret":             {"secret-access", `{"verbs":["get"],"apiGroups":[""],"resources":["secrets"],"resourceNames":["a"]}`, secrets, true},
		"another verb of the same deed":    {"secret-access", secrets, rule(`"list"`, `""`, `"secrets"`), false},
		"everything, then less":            {"secret-access", all, secrets, false},
		"no wildcard but the verb":         {"rbac-wildcards", all, rule(`"*"`, `""`, `"configmaps","pods/log"`), false},
		"no wildcard but the group":        {"rbac-wildcards", all, rule(`"get"`, `"*"`, `"configmaps"`), false},
		"no wildcard but the resource":     {"rbac-wildcards", all, rule(`"get"`, `""`, `"*"`), false},
		"subresources of all":              {"rbac-wildcards", all, rule(`"update"`, `"apps"`, `"*/scale"`), false},
		"one resource less":                {"rbac-wildcards", rule(`"*"`, `"","apps"`, `"pods","services"`), rule(`"*"`, `""`, `"pods"`), false},
		"one verb less":                    {"rbac-wildcards", read, rule(`"list"`, `"*"`, `"*"`), false},
		"one verb more":                    {"rbac-wildcards", read, rule(`"get","list","delete"`, `"*"`, `"*"`), true},
		"every verb":                       {"rbac-wildcards", read, all, true},
		"the same name in another group":   {"rbac-wildcards", rule(`"*"`, `"serving.knative.dev"`, `"services"`), rule(`"*"`, `""`, `"services"`), true},
		"another group":                    {"rbac-wildcards", rule(`"get"`, `"apps"`, `"*"`), rule(`"get"`, `"apps","batch"`, `"*"`), true},
		"a wildcard in two rules":          {"rbac-wildcards", read, rule(`"get"`, `"*"`, `"*"`) + "," + rule(`"list"`, `"*"`, `"*"`), false},
		"all URLs, otherwise written":      {"rbac-wildcards", `{"verbs":["get"],"nonResourceURLs":["*"]}`, `{"verbs":["get"],"nonResourceURLs":["/*"]}`, false},
		"all URLs, to write":               {"rbac-wildcards", `{"verbs":["get"],"nonResourceURLs":["*"]}`, `{"verbs":["get","post"],"nonResourceURLs":["*"]}`, true},
		"a verb for all URLs and then one": {"rbac-wildcards", `{"verbs":["*"],"nonResourceURLs":["*"]}`, `{"verbs":["*"],"nonResourceURLs":["/metrics"]}`, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			subject := func(rules string) *policy.Subject {
				o, err := workload.Decode([]byte(`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"team"},"rules":[` + rules + `]}`))
				if err != nil {
					t.Fatal(err)
				}
				return &policy.Subject{Object: &o}
			}
			for _, j := range new(ruling.Book).For("", nil) {
				if j.Policy.ID != tt.control {
					continue
				}
				decisions, err := Judge(t.Context(), []ruling.Judged{j}, subject(tt.new), subject(tt.old), Options{Ceiling: control.Enforce})
				if err != nil {
					t.Fatal(err)
				}
				if decisions[0].Denies() != tt.denied {
					t.Errorf("denied: %v: %+v", !tt.denied, decisions[0].Violations)
				}
				return
			}
			t.Errorf("%s is not judged", tt.control)
		})
	}
}
