package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Mode says what happens when a control fails. Write "Off" in quotes: YAML takes
// the bare word for false.
//
// +kubebuilder:validation:Enum=Off;Audit;Warn;Enforce
type Mode string

// WorkloadPolicy says which controls are judged in which namespaces, and what
// follows when one fails. Where several policies select a namespace, each is
// judged with its own parameters and the strictest outcome counts. A control that
// no policy mentions is in mode Warn.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,shortName=wpol,categories=hardgate
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Mode",type=string,JSONPath=`.spec.mode`
// +kubebuilder:printcolumn:name="Target",type=string,JSONPath=`.status.rollout.target`
// +kubebuilder:printcolumn:name="Audit",type=integer,JSONPath=`.status.rollout.audit`
// +kubebuilder:printcolumn:name="Warn",type=integer,JSONPath=`.status.rollout.warn`
// +kubebuilder:printcolumn:name="Enforce",type=integer,JSONPath=`.status.rollout.enforce`
// +kubebuilder:printcolumn:name="Closed",type=string,JSONPath=`.status.conditions[?(@.type=="FailsClosed")].status`
// +kubebuilder:printcolumn:name="Violations",type=integer,JSONPath=`.status.rollout.violations`
// +kubebuilder:printcolumn:name="Clean Since",type=date,JSONPath=`.status.rollout.cleanSince`
// +kubebuilder:printcolumn:name="Blocked By",type=string,JSONPath=`.status.rollout.blockedBy`
// +kubebuilder:printcolumn:name="Held",type=integer,priority=1,JSONPath=`.status.rollout.held`
// +kubebuilder:printcolumn:name="First Cell",type=string,priority=1,JSONPath=`.status.rollout.cells[0].summary`
// +kubebuilder:printcolumn:name="Namespaces",type=string,priority=1,JSONPath=`.spec.namespaceSelector.matchLabels`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type WorkloadPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec WorkloadPolicySpec `json:"spec"`

	// Status is written by the controller.
	Status WorkloadPolicyStatus `json:"status,omitzero"`
}

// WorkloadPolicySpec is what a WorkloadPolicy asks for. Unknown fields reach the
// webhook, which refuses them and names the nearest known one.
//
// +kubebuilder:pruning:PreserveUnknownFields
type WorkloadPolicySpec struct {
	// NamespaceSelector selects namespaces by their labels; every namespace has
	// the label kubernetes.io/metadata.name. Absent or empty selects all.
	//
	// +optional
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`

	// Mode is for every control that is not listed in controls. Without it, the
	// policy says nothing of those.
	//
	// +optional
	Mode Mode `json:"mode,omitempty"`

	// Controls sets single controls.
	//
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=200
	Controls []ControlSetting `json:"controls,omitempty"`

	// Rollout makes the modes stricter by themselves, namespace by namespace and control
	// by control, from what this policy says to the target. Without it, they are what
	// they are.
	//
	// +optional
	Rollout *Rollout `json:"rollout,omitempty"`
}

// ControlSetting sets one control.
//
// +kubebuilder:pruning:PreserveUnknownFields
type ControlSetting struct {
	// ID is the control's id; `hardgate controls` lists them.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	ID string `json:"id"`

	// Mode of this control; spec.mode where it is absent.
	//
	// +optional
	Mode Mode `json:"mode,omitempty"`

	// Parameters loosen or complete the control. Each belongs to certain controls
	// and is refused elsewhere.
	//
	// +optional
	Parameters *Parameters `json:"parameters,omitempty"`

	// Repair sets what a new pod leaves unsaid, before it is judged: never over a value
	// that it says. For net-raw, privilege-escalation, seccomp, and the ServiceAccounts
	// "default" of default-service-account.
	//
	// +optional
	Repair bool `json:"repair,omitempty"`
}

// Parameters are what sites differ in. Each field names the controls that read it.
//
// +kubebuilder:pruning:PreserveUnknownFields
type Parameters struct {
	// AllowedHostPaths may be mounted from the node. Read by host-path.
	//
	// +optional
	// +listType=atomic
	AllowedHostPaths []AllowedHostPath `json:"allowedHostPaths,omitempty"`

	// AllowedHostPorts may be bound on the node. Read by host-ports.
	//
	// +optional
	// +listType=atomic
	AllowedHostPorts []PortRange `json:"allowedHostPorts,omitempty"`

	// AllowedCapabilities may be added; case and the prefix CAP_ do not matter.
	// Read by added-capabilities, and by assigned-capabilities, which then allows
	// these besides NET_BIND_SERVICE.
	//
	// +optional
	// +listType=set
	AllowedCapabilities []string `json:"allowedCapabilities,omitempty"`

	// AllowedRegistries may serve images: a registry host with its port, or a host
	// and a path below it: "registry.example.com", "registry.example.com:5000/team".
	// A host may start with "*." for one or more labels. Read by image-provenance.
	//
	// +optional
	// +listType=set
	AllowedRegistries []string `json:"allowedRegistries,omitempty"`

	// RequireDigest demands that images are named by digest; true when absent and
	// allowedRegistries is given. Read by image-provenance.
	//
	// +optional
	RequireDigest *bool `json:"requireDigest,omitempty"`

	// AllowedTokenAudiences are audiences for which a service account token may be
	// projected: such a token is no use against the API server. Read by
	// service-account-token.
	//
	// +optional
	// +listType=set
	AllowedTokenAudiences []string `json:"allowedTokenAudiences,omitempty"`

	// SystemNamespaces are namespaces whose DaemonSets, and the pods of these, may
	// tolerate any taint: what makes a node work must run on those that drift, too.
	// Absent means kube-system, hardgate-system, and those in which the installers of
	// Calico and Flannel put their DaemonSets: calico-system, kube-flannel. Empty means
	// none. Name only namespaces in which tenants can create nothing. Read by
	// tainted-node-toleration.
	//
	// +optional
	// +listType=set
	SystemNamespaces []string `json:"systemNamespaces,omitzero"`
}

// AllowedHostPath is a directory of the node, with everything below it.
//
// +kubebuilder:pruning:PreserveUnknownFields
type AllowedHostPath struct {
	// PathPrefix is absolute; it matches whole path elements: /var/log does not
	// allow /var/logs.
	//
	// +kubebuilder:validation:Pattern=`^/`
	PathPrefix string `json:"pathPrefix"`

	// ReadOnly demands that every mount of the volume is read-only.
	//
	// +optional
	ReadOnly bool `json:"readOnly,omitempty"`
}

// PortRange is a range of ports, both ends included.
//
// +kubebuilder:pruning:PreserveUnknownFields
type PortRange struct {
	// Min is the first port.
	//
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Min int32 `json:"min"`

	// Max is the last port.
	//
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Max int32 `json:"max"`
}

// WorkloadPolicyList is a list of WorkloadPolicies.
//
// +kubebuilder:object:root=true
type WorkloadPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []WorkloadPolicy `json:"items"`
}
