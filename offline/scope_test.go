package offline

import "testing"

func TestBuiltInScopes(t *testing.T) {
	tests := map[groupKind]scope{
		{"", "Pod"}:                                          namespaced,
		{"", "Namespace"}:                                    clusterScoped,
		{"apps", "Deployment"}:                               namespaced,
		{"policy", "Eviction"}:                               namespaced,
		{"hardgate.dev", "NodeReport"}:                       clusterScoped,
		{"networking.k8s.io", "IngressClass"}:                clusterScoped,
		{"authorization.k8s.io", "LocalSubjectAccessReview"}: namespaced,
		{"gateway.networking.k8s.io", "GatewayClass"}:        unknownScope,
	}
	for kind, want := range tests {
		if got := builtIn[kind]; got != want {
			t.Errorf("%v has scope %d, want %d", kind, got, want)
		}
	}
}
