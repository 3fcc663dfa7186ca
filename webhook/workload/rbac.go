package workload

// Role is what policies read of a Role or ClusterRole.
type Role struct {
	Rules []Rule
	// Gathers are the selectors of an aggregationRule: the controller manager replaces
	// the rules by those of every ClusterRole that one of them selects.
	Gathers []Selector
}

// Rule is a PolicyRule, as written.
type Rule struct {
	Verbs, Groups, Resources []string
	// Names are resourceNames; none means every name.
	Names []string
	URLs  []string // nonResourceURLs
}

// Selector is a label selector. An empty one selects everything.
type Selector struct {
	Labels      map[string]string
	Expressions []Requirement
}

// Requirement is an entry of matchExpressions.
type Requirement struct {
	Key, Operator string
	Values        []string
}

// Binding is what policies read of a RoleBinding or ClusterRoleBinding.
type Binding struct {
	RoleKind, RoleName string
	Subjects           []RBACSubject
}

// RBACSubject is whom a binding is for.
type RBACSubject struct {
	Kind, Namespace, Name string
}

// rbacGroup is the API group of roles and bindings.
const rbacGroup = "rbac.authorization.k8s.io"

// IsRBAC is whether objects of the kind are roles or bindings of the API server's own
// authorizer.
func IsRBAC(k Kind) bool { return isRole(k) || isBinding(k) }

func isRole(k Kind) bool {
	return k.Group == rbacGroup && (k.Kind == "Role" || k.Kind == "ClusterRole")
}

func isBinding(k Kind) bool {
	return k.Group == rbacGroup && (k.Kind == "RoleBinding" || k.Kind == "ClusterRoleBinding")
}
