package policy

import (
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// serviceAccountToken: CIS 1.8 5.1.6. No token reaches a container unless somebody
// asked for it by an exemption. The pod's automountServiceAccountToken beats the
// account's; neither set means a token. A token projected into a volume counts
// whatever automount says.
var serviceAccountToken = Policy{
	ID:         "service-account-token",
	Judges:     pods,
	Parameters: []string{"allowedTokenAudiences"},
	Check: func(s *Subject) (found []Finding) {
		auto := s.Pod.Automount
		injected := false
		// The token of another account is another fault.
		account := "=" + s.Pod.Account()
		for _, v := range s.Pod.Volumes {
			for _, token := range v.Tokens {
				switch {
				case !s.Pod.Template && isInjected(v, token) && (auto.Value || !auto.Set):
					injected = true // told below, at the field that caused it
				case token.Audience != "" && slices.Contains(s.Parameters.AllowedTokenAudiences, token.Audience):
				default:
					at := s.spec().item("volumes", v.Index, v.Name).item("projected.sources", token.Index, token.Audience)
					found = append(found, at.field("serviceAccountToken").worth(account).found("projects a service account token%s", forAudience(token)))
				}
			}
		}
		at := s.spec().field("automountServiceAccountToken").worth(account)
		switch {
		case auto.Set && auto.Value:
			found = append(found, at.found("automountServiceAccountToken is true"))
		case auto.Set:
		case injected:
			found = append(found, at.found("automountServiceAccountToken is unset and the ServiceAccount does not say false: a token is mounted"))
		case s.Admitted && !s.Pod.Template:
			// The API server has looked at the account and injected nothing.
		case !s.AccountAutomount.Set:
			found = append(found, at.found("automountServiceAccountToken is unset for the pod and not known to be set for its ServiceAccount: a token will be mounted"))
		case s.AccountAutomount.Value:
			found = append(found, at.found("automountServiceAccountToken is unset for the pod and true for its ServiceAccount: a token will be mounted"))
		}
		return found
	},
}

// isInjected is whether the token looks like the one that the API server adds to a
// pod that automounts. A user may name a volume so: it is a token all the same.
func isInjected(v workload.Volume, token workload.TokenSource) bool {
	return strings.HasPrefix(v.Name, "kube-api-access-") && token.Audience == "" && token.Path == "token"
}

func forAudience(token workload.TokenSource) string {
	if token.Audience == "" {
		return " for the API server"
	}
	return " for audience \"" + token.Audience + "\""
}
