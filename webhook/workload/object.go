package workload

import "strings"

// Kind names a kind of object, as in AdmissionRequest.kind.
type Kind struct{ Group, Version, Kind string }

// String is "apps/v1 Deployment", or "v1 Pod" for the core group.
func (k Kind) String() string {
	if k.Group == "" {
		return k.Version + " " + k.Kind
	}
	return k.Group + "/" + k.Version + " " + k.Kind
}

// APIVersion is "apps/v1", or "v1" for the core group.
func (k Kind) APIVersion() string {
	if k.Group == "" {
		return k.Version
	}
	return k.Group + "/" + k.Version
}

// ParseKind reads the apiVersion and kind fields of an object.
func ParseKind(apiVersion, kind string) Kind {
	group, version, ok := strings.Cut(apiVersion, "/")
	if !ok {
		group, version = "", apiVersion
	}
	return Kind{Group: group, Version: version, Kind: kind}
}

// Object is one Kubernetes object.
type Object struct {
	Kind         Kind
	Namespace    string
	Name         string
	GenerateName string
	// Mirror is whether the object carries the annotation of a static pod's
	// mirror. Anybody may set it: it exempts nothing by itself.
	Mirror bool
	// OfDaemonSet is whether the object says that a DaemonSet controls it. Anybody
	// may say so: it exempts nothing by itself.
	OfDaemonSet bool
	// Controller is what the object says controls it, as "Deployment", "web". Anybody may
	// say so: it exempts nothing, and is for people to read.
	Controller Owner
	// Pod is the pod or the pod template of a workload kind; nil for all others.
	Pod *Pod
	// ServiceAccount is set for kind ServiceAccount only.
	ServiceAccount *ServiceAccount
	// Role is set for kinds Role and ClusterRole only.
	Role *Role
	// Binding is set for kinds RoleBinding and ClusterRoleBinding only.
	Binding *Binding
}

// Owner names the controller of an object; both are empty where it has none.
type Owner struct{ Kind, Name string }

// DisplayName is the name, or the prefix with "*" of one that is still to be made.
func (o *Object) DisplayName() string {
	if o.Name == "" && o.GenerateName != "" {
		return o.GenerateName + "*"
	}
	return o.Name
}

// ServiceAccount is what policies read of one.
type ServiceAccount struct {
	Automount Optional[bool]
}

// Optional is a field that may be absent. Absent and null are the same to the
// API server.
type Optional[T any] struct {
	Value T
	Set   bool
}
