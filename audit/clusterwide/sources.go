package clusterwide

// Source is a resource that is read for the cluster as a whole, and not judged by itself.
type Source struct {
	// Resource is its name: "ciliumnetworkpolicies.cilium.io".
	Resource string
	// Paths are where it is listed. The first that can be read counts.
	Paths []string
	// Optional is whether a cluster may lack it: no path is served then, which is no miss.
	Optional bool
	// Metadata is whether no more than its metadata is asked for.
	Metadata bool
	// Read takes in one item of the list.
	Read func(*Facts, []byte) error
}

// The resources by their names.
const (
	webhookConfigurations = "validatingwebhookconfigurations.admissionregistration.k8s.io"
	admissionPolicies     = "validatingadmissionpolicies.admissionregistration.k8s.io"
	admissionBindings     = "validatingadmissionpolicybindings.admissionregistration.k8s.io"
	ciliumPolicies        = "ciliumnetworkpolicies.cilium.io"
	ciliumClusterwide     = "ciliumclusterwidenetworkpolicies.cilium.io"
	calicoPolicies        = "networkpolicies.projectcalico.org"
	calicoGlobal          = "globalnetworkpolicies.projectcalico.org"
	adminPolicies         = "adminnetworkpolicies.policy.networking.k8s.io"
	baselinePolicies      = "baselineadminnetworkpolicies.policy.networking.k8s.io"
	csiDrivers            = "csidrivers.storage.k8s.io"
	secretProviders       = "secretproviderclasses.secrets-store.csi.x-k8s.io"
	externalSecrets       = "externalsecrets.external-secrets.io"
)

// Sources are all of them. Calico's policies have two faces: the one that people write,
// which another API server may serve and refuse by its own rules, and the one that Calico
// stores, which may be left over where it stores them as they are written.
func Sources() []Source {
	const admission = "/apis/admissionregistration.k8s.io/v1/"
	return []Source{
		{Resource: webhookConfigurations, Paths: []string{admission + "validatingwebhookconfigurations"}, Read: (*Facts).readWebhooks},
		{Resource: admissionPolicies, Paths: []string{admission + "validatingadmissionpolicies"}, Optional: true, Read: (*Facts).readPolicy},
		{Resource: admissionBindings, Paths: []string{admission + "validatingadmissionpolicybindings"}, Optional: true, Read: (*Facts).readBinding},
		{Resource: ciliumPolicies, Paths: []string{"/apis/cilium.io/v2/ciliumnetworkpolicies"}, Optional: true, Read: (*Facts).readCilium},
		{Resource: ciliumClusterwide, Paths: []string{"/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies"}, Optional: true, Read: (*Facts).readCiliumClusterwide},
		{
			Resource: calicoPolicies, Optional: true, Read: (*Facts).readCalico,
			Paths: []string{"/apis/projectcalico.org/v3/networkpolicies", "/apis/crd.projectcalico.org/v1/networkpolicies"},
		},
		{
			Resource: calicoGlobal, Optional: true, Read: (*Facts).readCalicoGlobal,
			Paths: []string{"/apis/projectcalico.org/v3/globalnetworkpolicies", "/apis/crd.projectcalico.org/v1/globalnetworkpolicies"},
		},
		{
			Resource: adminPolicies, Optional: true, Metadata: true, Read: narrowed("AdminNetworkPolicy"),
			Paths: []string{"/apis/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies"},
		},
		{
			Resource: baselinePolicies, Optional: true, Metadata: true, Read: narrowed("BaselineAdminNetworkPolicy"),
			Paths: []string{"/apis/policy.networking.k8s.io/v1alpha1/baselineadminnetworkpolicies"},
		},
		{Resource: csiDrivers, Paths: []string{"/apis/storage.k8s.io/v1/csidrivers"}, Metadata: true, Read: (*Facts).readDriver},
		{
			Resource: secretProviders, Optional: true, Metadata: true, Read: stored(secretProviders),
			Paths: []string{"/apis/secrets-store.csi.x-k8s.io/v1/secretproviderclasses"},
		},
		{
			Resource: externalSecrets, Optional: true, Metadata: true, Read: stored(externalSecrets),
			Paths: []string{"/apis/external-secrets.io/v1/externalsecrets", "/apis/external-secrets.io/v1beta1/externalsecrets"},
		},
	}
}
