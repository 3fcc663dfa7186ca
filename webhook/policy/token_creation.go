package policy

import "github.com/hardgate-dev/hardgate/webhook/rbac"

// tokenCreation: CIS 1.8 5.1.13. The account stands in the request's path, so that
// resourceNames confine it.
var tokenCreation = about("token-creation", rbac.Power{
	Deed: rbac.CreatesTokens, Verbs: []string{"create"}, Resources: []string{"serviceaccounts/token"}, Named: true,
})
