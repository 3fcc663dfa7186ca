package audit

import "github.com/hardgate-dev/hardgate/webhook/workload"

// resource is a kind whose objects are judged.
type resource struct {
	kind workload.Kind
	name string // as in paths
	// cluster is whether its objects have no namespace.
	cluster bool
	// bare is whether their metadata suffices, in the namespace "default".
	bare bool
}

const rbac = "rbac.authorization.k8s.io"

// resources are in the order in which they are read: what tells of others comes before.
var resources = []resource{
	{kind: workload.Kind{Version: "v1", Kind: "Namespace"}, name: "namespaces", cluster: true},
	{kind: workload.Kind{Version: "v1", Kind: "ServiceAccount"}, name: "serviceaccounts"},
	{kind: workload.Kind{Group: rbac, Version: "v1", Kind: "ClusterRole"}, name: "clusterroles", cluster: true},
	{kind: workload.Kind{Group: rbac, Version: "v1", Kind: "Role"}, name: "roles"},
	{kind: workload.Kind{Group: rbac, Version: "v1", Kind: "ClusterRoleBinding"}, name: "clusterrolebindings", cluster: true},
	{kind: workload.Kind{Group: rbac, Version: "v1", Kind: "RoleBinding"}, name: "rolebindings"},
	{kind: workload.Kind{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"}, name: "networkpolicies"},
	{kind: workload.Kind{Version: "v1", Kind: "PodTemplate"}, name: "podtemplates"},
	{kind: workload.Kind{Version: "v1", Kind: "ReplicationController"}, name: "replicationcontrollers"},
	{kind: workload.Kind{Group: "apps", Version: "v1", Kind: "Deployment"}, name: "deployments"},
	{kind: workload.Kind{Group: "apps", Version: "v1", Kind: "StatefulSet"}, name: "statefulsets"},
	{kind: workload.Kind{Group: "apps", Version: "v1", Kind: "DaemonSet"}, name: "daemonsets"},
	{kind: workload.Kind{Group: "batch", Version: "v1", Kind: "CronJob"}, name: "cronjobs"},
	{kind: workload.Kind{Group: "batch", Version: "v1", Kind: "Job"}, name: "jobs"},
	{kind: workload.Kind{Group: "apps", Version: "v1", Kind: "ReplicaSet"}, name: "replicasets"},
	{kind: workload.Kind{Version: "v1", Kind: "Pod"}, name: "pods"},

	// What else people put into the namespace "default". Secrets are not read.
	{kind: workload.Kind{Version: "v1", Kind: "Service"}, name: "services", bare: true},
	{kind: workload.Kind{Group: "discovery.k8s.io", Version: "v1", Kind: "EndpointSlice"}, name: "endpointslices", bare: true},
	{kind: workload.Kind{Version: "v1", Kind: "ConfigMap"}, name: "configmaps", bare: true},
	{kind: workload.Kind{Version: "v1", Kind: "PersistentVolumeClaim"}, name: "persistentvolumeclaims", bare: true},
	{kind: workload.Kind{Version: "v1", Kind: "LimitRange"}, name: "limitranges", bare: true},
	{kind: workload.Kind{Version: "v1", Kind: "ResourceQuota"}, name: "resourcequotas", bare: true},
	{kind: workload.Kind{Group: "networking.k8s.io", Version: "v1", Kind: "Ingress"}, name: "ingresses", bare: true},
	{kind: workload.Kind{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler"}, name: "horizontalpodautoscalers", bare: true},
	{kind: workload.Kind{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"}, name: "poddisruptionbudgets", bare: true},
}

// path is where the resource is listed: in one namespace, or in all if that is empty.
func (r *resource) path(namespace string) string {
	p := "/api/" + r.kind.Version
	if r.kind.Group != "" {
		p = "/apis/" + r.kind.APIVersion()
	}
	if namespace != "" && !r.cluster {
		p += "/namespaces/" + namespace
	}
	return p + "/" + r.name
}

// String is "deployments.apps".
func (r *resource) String() string {
	if r.kind.Group == "" {
		return r.name
	}
	return r.name + "." + r.kind.Group
}
