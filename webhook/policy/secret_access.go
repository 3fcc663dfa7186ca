package policy

import "github.com/hardgate-dev/hardgate/webhook/rbac"

// secretAccess: CIS 1.8 5.1.2. A secret that is named is one that somebody has thought
// of: resourceNames suffice.
var secretAccess = about("secret-access", rbac.Power{
	Deed: rbac.ReadsSecrets, Verbs: []string{"get", "list", "watch"}, Resources: []string{"secrets"}, Named: true,
})
