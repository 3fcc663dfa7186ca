package rbac

import (
	"slices"

	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// Own is a role that Kubernetes makes for itself at every start, and what it does by what
// it is for. Neither the prefix "system:" nor a label makes a role one of these: anybody
// may set those.
type Own struct {
	Kind, Namespace, Name string
	Deeds                 []Deed
	// For is whom the binding of the role's own name binds to it; nil for no binding.
	For *workload.RBACSubject
	// Label is the one by which other roles gather it, besides that of all own roles;
	// empty for none.
	Label string
	// Why says what the role is for.
	Why string
}

const (
	// Group is the API group of roles and bindings.
	Group          = "rbac.authorization.k8s.io"
	kubeSystem     = "kube-system"
	serviceAccount = "ServiceAccount"
	clusterRole    = "ClusterRole"
	role           = "Role"
	// ClusterAdmin is the ClusterRole that may do everything.
	ClusterAdmin    = "cluster-admin"
	kubeletAPIAdmin = "system:kubelet-api-admin"
	// Masters is the group that may do everything, whatever is bound to it.
	Masters = "system:masters"

	toAdmin = "rbac.authorization.k8s.io/aggregate-to-admin"
	toEdit  = "rbac.authorization.k8s.io/aggregate-to-edit"
)

var everything = []Deed{
	ReadsSecrets, UsesWildcards, CreatesPods, BindsRoles, BindsClusterRoles, EscalatesRoles, EscalatesClusterRoles,
	ImpersonatesAccounts, ImpersonatesUsers, ImpersonatesGroups, ImpersonatesNodes,
	CreatesVolumes, UsesNodeProxy, ApprovesCertificates, ChangesValidatingWebhooks, ChangesMutatingWebhooks, CreatesTokens,
}

// editors is what the user-facing roles admin and edit do.
var editors = []Deed{ReadsSecrets, CreatesPods, ImpersonatesAccounts, CreatesTokens}

// own has every role of Kubernetes 1.32 to 1.36 that does any of the deeds. A test holds it
// against what an API server makes.
var own = []Own{
	{clusterRole, "", ClusterAdmin, everything, &workload.RBACSubject{Kind: "Group", Name: Masters}, "", "whoever administers the cluster"},
	{clusterRole, "", "admin", editors, nil, "", "whoever administers a namespace"},
	{clusterRole, "", "edit", editors, nil, toAdmin, "whoever deploys to a namespace"},
	{clusterRole, "", "system:aggregate-to-edit", editors, nil, toEdit, "the rules of edit"},
	{clusterRole, "", "system:kube-controller-manager", []Deed{UsesWildcards, ReadsSecrets, CreatesTokens}, &workload.RBACSubject{Kind: "User", Name: "system:kube-controller-manager"}, "", "it watches every kind and hands tokens to its controllers"},
	{clusterRole, "", kubeletAPIAdmin, []Deed{UsesWildcards, UsesNodeProxy}, nil, "", "the API server's own calls to kubelets"},
	{clusterRole, "", "system:node", []Deed{CreatesPods, ReadsSecrets, CreatesTokens}, nil, "", "kubelets where the authorizer Node is off"},
	{clusterRole, "", "system:persistent-volume-provisioner", []Deed{CreatesVolumes}, nil, "", "provisioners outside the controller manager"},
	controller("certificate-controller", "it approves what kubelets ask for themselves", ApprovesCertificates),
	controller("clusterrole-aggregation-controller", "it writes roles that have more rights than itself", EscalatesClusterRoles),
	controller("cronjob-controller", "it creates Jobs", CreatesPods),
	controller("daemon-set-controller", "it creates pods", CreatesPods),
	controller("deployment-controller", "it creates ReplicaSets", CreatesPods),
	controller("disruption-controller", "it reads the scale of every kind", UsesWildcards),
	controller("generic-garbage-collector", "it deletes what has lost its owner, of every kind", UsesWildcards, UsesNodeProxy, ReadsSecrets, CreatesPods, ApprovesCertificates, ChangesValidatingWebhooks, ChangesMutatingWebhooks),
	controller("horizontal-pod-autoscaler", "it changes the scale of every kind", UsesWildcards),
	controller("job-controller", "it creates pods", CreatesPods),
	controller("legacy-service-account-token-cleaner", "it deletes old tokens, which are Secrets, and marks them first", ReadsSecrets),
	controller("namespace-controller", "it empties namespaces, of every kind", UsesWildcards, UsesNodeProxy, ReadsSecrets, ChangesValidatingWebhooks, ChangesMutatingWebhooks),
	controller("persistent-volume-binder", "it creates volumes, and pods that recycle them", CreatesVolumes, CreatesPods),
	controller("replicaset-controller", "it creates pods", CreatesPods),
	controller("replication-controller", "it creates pods", CreatesPods),
	controller("resourcequota-controller", "it counts objects of every kind", UsesWildcards, ReadsSecrets),
	controller("statefulset-controller", "it creates pods", CreatesPods),
	signer("bootstrap-signer", "it signs the cluster's introduction by tokens that are Secrets"),
	signer("token-cleaner", "it deletes bootstrap tokens, which are Secrets, at their end"),
}

// bindings are those that installers make for themselves and that are not called after
// their role.
var bindings = []struct {
	kind, name, role string
	subject          workload.RBACSubject
}{
	{"ClusterRoleBinding", "kubeadm:cluster-admins", ClusterAdmin, workload.RBACSubject{Kind: "Group", Name: "kubeadm:cluster-admins"}},
	{"ClusterRoleBinding", "kubeadm:apiserver-kubelet-client", kubeletAPIAdmin, workload.RBACSubject{Kind: "User", Name: "kube-apiserver-kubelet-client"}}, // from 1.36 on
}

func controller(name, why string, deeds ...Deed) Own {
	return Own{
		Kind: clusterRole, Name: "system:controller:" + name, Deeds: deeds, Why: why,
		For: &workload.RBACSubject{Kind: serviceAccount, Namespace: kubeSystem, Name: name},
	}
}

func signer(name, why string) Own {
	return Own{
		Kind: role, Namespace: kubeSystem, Name: "system:controller:" + name, Deeds: []Deed{ReadsSecrets}, Why: why,
		For: &workload.RBACSubject{Kind: serviceAccount, Namespace: kubeSystem, Name: name},
	}
}

// OwnRoles are the roles that Kubernetes makes for itself and that do what a control is
// about.
func OwnRoles() []Own { return slices.Clone(own) }

// OwnRole returns the role if it is one of Kubernetes' own; nil for any other. A
// ClusterRole has no namespace, whatever a manifest says.
func OwnRole(kind, namespace, name string) *Own {
	if kind == clusterRole {
		namespace = ""
	}
	i := slices.IndexFunc(own, func(o Own) bool { return o.Kind == kind && o.Namespace == namespace && o.Name == name })
	if i < 0 {
		return nil
	}
	return &own[i]
}

// Does is whether the deed belongs to what the role is for.
func (o *Own) Does(d Deed) bool { return o != nil && slices.Contains(o.Deeds, d) }

// OwnBinding is whether Kubernetes or its installer itself binds the subject by a binding
// of this kind and name to the role.
func OwnBinding(o *Own, kind, namespace, name string, subject workload.RBACSubject) bool {
	for _, b := range bindings {
		if b.kind == kind && b.name == name && b.role == o.Name && o.Kind == clusterRole && b.subject == subject {
			return true
		}
	}
	if o.For == nil || name != o.Name || *o.For != subject {
		return false
	}
	if o.Kind == clusterRole {
		return kind == "ClusterRoleBinding"
	}
	return kind == "RoleBinding" && namespace == o.Namespace
}
