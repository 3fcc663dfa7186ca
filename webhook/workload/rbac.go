package workload

// Role is what policies read of a Role or a ClusterRole.
type Role struct {
	Rules []Rule
	// Aggregates are the clusterRoleSelectors of an aggregationRule: the controller
	// manager replaces the rules by those of the ClusterRoles that any of them selects.
	// Never nil where the object has an aggregationRule.
	Aggregates []Selector
}

// Rule is a PolicyRule, as written.
type Rule struct {
	Index                                                       int
	Verbs, APIGroups, Resources, ResourceNames, NonResourceURLs []string
}

// Selector is a label selector.
type Selector struct {
	Labels       map[string]string
	Requirements []Requirement
}

// Requirement is an entry of matchExpressions.
type Requirement struct {
	Key, Operator string
	Values        []string
}

// Binding is what policies read of a RoleBinding or a ClusterRoleBinding.
type Binding struct {
	RoleKind, RoleName string
	Subjects           []Bound
}

// Bound is a subject of a binding.
type Bound struct {
	Index                 int
	Kind, Namespace, Name string
}
