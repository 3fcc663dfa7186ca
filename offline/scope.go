package offline

import "strings"

// scope is whether objects of a kind live in a namespace.
type scope uint8

const (
	unknownScope scope = iota
	namespaced
	clusterScoped
)

// groupKind is a kind in whichever version.
type groupKind struct{ group, kind string }

// builtIn has the kinds of the API server up to 1.37, from the markers
// +genclient:nonNamespaced in k8s.io/api, those of its extensions, and hardgate's.
var builtIn = scopes(namespaced, map[string]string{
	"": "Binding ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate " +
		"ReplicationController ResourceQuota Secret Service ServiceAccount",
	"apps":                      "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
	"authorization.k8s.io":      "LocalSubjectAccessReview",
	"autoscaling":               "HorizontalPodAutoscaler",
	"batch":                     "CronJob Job",
	"certificates.k8s.io":       "PodCertificateRequest",
	"coordination.k8s.io":       "Lease LeaseCandidate",
	"discovery.k8s.io":          "EndpointSlice",
	"events.k8s.io":             "Event",
	"extensions":                "DaemonSet Deployment Ingress NetworkPolicy ReplicaSet",
	"lifecycle.k8s.io":          "Eviction EvictionRequest",
	"networking.k8s.io":         "Ingress NetworkPolicy",
	"policy":                    "Eviction PodDisruptionBudget",
	"rbac.authorization.k8s.io": "Role RoleBinding",
	"resource.k8s.io":           "ResourceClaim ResourceClaimTemplate",
	"scheduling.k8s.io":         "CompositePodGroup PodGroup Workload",
	"storage.k8s.io":            "CSIStorageCapacity",
}).and(clusterScoped, map[string]string{
	"": "ComponentStatus Namespace Node PersistentVolume",
	"admissionregistration.k8s.io": "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration " +
		"ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration",
	"apiextensions.k8s.io":         "CustomResourceDefinition",
	"apiregistration.k8s.io":       "APIService",
	"authentication.k8s.io":        "SelfSubjectReview TokenReview",
	"authorization.k8s.io":         "SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
	"certificates.k8s.io":          "CertificateSigningRequest ClusterTrustBundle",
	"extensions":                   "PodSecurityPolicy",
	"flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
	"hardgate.dev":                 "ClusterReport Exemption NamespaceReport NodePolicy NodeReport WorkloadPolicy",
	"imagepolicy.k8s.io":           "ImageReview",
	"internal.apiserver.k8s.io":    "StorageVersion",
	"networking.k8s.io":            "IPAddress IngressClass ServiceCIDR",
	"node.k8s.io":                  "RuntimeClass",
	"policy":                       "PodSecurityPolicy",
	"rbac.authorization.k8s.io":    "ClusterRole ClusterRoleBinding",
	"resource.k8s.io":              "DeviceClass DeviceTaintRule ResourcePoolStatusRequest ResourceSlice",
	"scheduling.k8s.io":            "PriorityClass",
	"storage.k8s.io":               "CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass",
	"storagemigration.k8s.io":      "StorageVersionMigration",
})

type scopeTable map[groupKind]scope

func scopes(s scope, kinds map[string]string) scopeTable { return scopeTable{}.and(s, kinds) }

func (t scopeTable) and(s scope, kinds map[string]string) scopeTable {
	for group, names := range kinds {
		for kind := range strings.FieldsSeq(names) {
			t[groupKind{group, kind}] = s
		}
	}
	return t
}
