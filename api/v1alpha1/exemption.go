package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Exemption lets controls fail where it applies, until it expires. What is exempt is
// judged and reported all the same, and nothing follows from it.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,shortName=exm,categories=hardgate
// +kubebuilder:printcolumn:name="Controls",type=string,JSONPath=`.spec.controls`
// +kubebuilder:printcolumn:name="Owner",type=string,JSONPath=`.spec.owner`
// +kubebuilder:printcolumn:name="Expires",type=string,JSONPath=`.spec.expires`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.spec.reason`
type Exemption struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ExemptionSpec `json:"spec"`
}

// ExemptionSpec says what is exempt, for how long, and who answers for it. Unknown
// fields reach the webhook, which refuses them and names the nearest known one.
//
// +kubebuilder:pruning:PreserveUnknownFields
type ExemptionSpec struct {
	// Controls are the ids of what may fail.
	//
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=200
	Controls []string `json:"controls"`

	// Nodes are those that it applies to. Absent means none: an exemption that says
	// nowhere applies nowhere.
	//
	// +optional
	Nodes *ExemptNodes `json:"nodes,omitempty"`

	// Objects are those that it applies to. Absent means none.
	//
	// +optional
	Objects *ExemptObjects `json:"objects,omitempty"`

	// Reason says why.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Reason string `json:"reason"`

	// Owner is who answers for it: a team or a person.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Owner string `json:"owner"`

	// Expires is when it ends. From that second on it is as if it were not there.
	Expires metav1.Time `json:"expires"`
}

// ExemptNodes selects nodes, by name or by labels.
//
// +kubebuilder:pruning:PreserveUnknownFields
type ExemptNodes struct {
	// Names are names of nodes.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	Names []string `json:"names,omitempty"`

	// Selector selects nodes by their labels. Present and empty selects all.
	//
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// ExemptObjects selects objects, and what is wrong with them: all that is given must
// hold. At least one of namespaces, kinds, names, serviceAccounts and images is given.
// No label or annotation counts, since whoever deploys can set those.
//
// +kubebuilder:pruning:PreserveUnknownFields
type ExemptObjects struct {
	// Namespaces by name. A Namespace counts as being in itself; any other object without a
	// namespace is in none.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	Namespaces []string `json:"namespaces,omitempty"`

	// Kinds are "Deployment", or "Deployment.apps" to be exact. A Deployment's pods are
	// objects of their own: they are exempt where Pod is among the kinds, too.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	Kinds []string `json:"kinds,omitempty"`

	// Names of the objects; "*" stands for any run of characters.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	Names []string `json:"names,omitempty"`

	// ServiceAccounts under which the pods run, by name, or as "namespace/name".
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	ServiceAccounts []string `json:"serviceAccounts,omitempty"`

	// Images of containers, as they are written: with a tag that one, with a digest the same
	// digest of the same repository, whatever tag stands before it, since runtimes go by the
	// digest alone; without either any of the repository, and all below a path with "/*" at
	// the end. What is wrong
	// with a container is exempt by its own image, what is wrong with a pod as a whole by
	// all its images.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	Images []string `json:"images,omitempty"`

	// FieldPaths are fields, with all below them, as messages write them, "[*]" for any
	// index: "spec.containers[*].securityContext". Absent means whatever the controls find.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	FieldPaths []string `json:"fieldPaths,omitempty"`
}

// ExemptionList is a list of Exemptions.
//
// +kubebuilder:object:root=true
type ExemptionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Exemption `json:"items"`
}
