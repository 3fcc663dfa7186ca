package policy

import (
	"slices"

	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// defaultNamespace: CIS 1.8 5.7.4, 5.6.4 from 1.11. No object of a user's stands in
// the namespace "default", whatever its kind.
var defaultNamespace = Policy{
	ID:     "default-namespace",
	Judges: func(s *Subject) bool { return s.Namespace != "" },
	Check: func(s *Subject) []Finding {
		if s.Namespace != "default" || ownedBySystem(s.Object) {
			return nil
		}
		return []Finding{place{}.field("metadata.namespace").found("the namespace is default")}
	},
}

// systemObjects are what the API server and the controller manager themselves keep
// in the namespace. A user's object of such a name cannot exist beside them.
var systemObjects = []struct{ group, kind, name string }{
	{"", "Service", "kubernetes"},
	{"", "Endpoints", "kubernetes"},
	{"discovery.k8s.io", "EndpointSlice", "kubernetes"},
	{"", "ServiceAccount", "default"},
	{"", "ConfigMap", "kube-root-ca.crt"},
}

// ownedBySystem also lets be what is no object of the namespace: Events, which the
// API server writes there about nodes and others without a namespace, and questions
// and bindings, which are answered and never stored.
func ownedBySystem(o *workload.Object) bool {
	switch {
	case o.Kind.Kind == "Event" && (o.Kind.Group == "" || o.Kind.Group == "events.k8s.io"),
		o.Kind.Group == "authorization.k8s.io",
		o.Kind.Kind == "Binding" && o.Kind.Group == "":
		return true
	}
	return slices.ContainsFunc(systemObjects, func(own struct{ group, kind, name string }) bool {
		return o.Kind.Group == own.group && o.Kind.Kind == own.kind && o.Name == own.name
	})
}
