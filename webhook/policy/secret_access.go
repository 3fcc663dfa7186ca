package policy

import "github.com/hardgate-dev/hardgate/webhook/rbac"

// secretAccess: CIS 1.8 5.1.2. A secret that is named is one that somebody has thought
// of: resourceNames suffice. An empty patch is answered with the whole secret, and a
// deletion of many with all of them.
var secretAccess = about("secret-access", rbac.Power{
	Deed: rbac.ReadsSecrets, Verbs: []string{"get", "list", "watch", "patch", "deletecollection"}, Resources: []string{"secrets"}, Named: true,
})
