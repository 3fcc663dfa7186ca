package v1alpha1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ClusterScopedReportName is the name of the NamespaceReport of all objects that have no
// namespace. No namespace can be called so.
const ClusterScopedReportName = "cluster.scoped"

// NamespaceReport sums up what stands in one namespace, whose name it has: bounded,
// whatever is in there. All that was found is in the
// controller's log at debug level.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,shortName=nsrep,categories=hardgate
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Objects",type=integer,JSONPath=`.status.objects`
// +kubebuilder:printcolumn:name="Failing",type=integer,JSONPath=`.status.failing`
// +kubebuilder:printcolumn:name="Exempt",type=integer,JSONPath=`.status.exempt`
// +kubebuilder:printcolumn:name="Enforced",type=string,JSONPath=`.status.enforced`
// +kubebuilder:printcolumn:name="First",type=string,JSONPath=`.status.findings[0].object`
// +kubebuilder:printcolumn:name="Control",type=string,JSONPath=`.status.findings[0].control`
// +kubebuilder:printcolumn:name="Changed",type=date,JSONPath=`.status.changed`
type NamespaceReport struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Status NamespaceReportStatus `json:"status,omitzero"`
}

// NamespaceReportStatus is written by the controller, but for admission, which the
// webhook writes.
type NamespaceReportStatus struct {
	// Hash is over what the last audit found, all of it. Where it is the same, nothing
	// has changed.
	//
	// +optional
	Hash string `json:"hash,omitempty"`
	// Changed is when the audit last found something else.
	//
	// +optional
	Changed *metav1.Time `json:"changed,omitempty"`
	// Objects is how many were judged.
	Objects int32 `json:"objects"`
	// Failing is how many of them fail something.
	Failing int32 `json:"failing"`
	// Exempt is how many of them would fail something that an Exemption covers.
	Exempt int32 `json:"exempt"`
	// Enforced is how many controls are in mode Enforce, of how many: "12/31".
	//
	// +optional
	Enforced string `json:"enforced,omitempty"`
	// Controls has an entry for each control that fails, or whose mode a rollout decides.
	//
	// +optional
	// +listType=map
	// +listMapKey=id
	Controls []NamespaceControl `json:"controls,omitempty"`
	// Findings are the first of what was found, at most 20.
	//
	// +optional
	// +listType=atomic
	Findings []ObjectFinding `json:"findings,omitempty"`
	// Admission is what the webhook would have refused if the control had been enforced.
	//
	// +optional
	// +listType=map
	// +listMapKey=control
	Admission []AdmissionTally `json:"admission,omitempty"`
	// Heartbeat is the webhook's, in the report of what has no namespace alone.
	//
	// +optional
	Heartbeat *Heartbeat `json:"heartbeat,omitempty"`
}

// HeartbeatGap is for how long a heartbeat may miss without being a gap. The controller asks
// several times in it.
const HeartbeatGap = 10 * time.Minute

// Heartbeat says when the webhook has answered the controller's self-test and has written so
// here, as it writes its tallies: at those times it was asked about what is admitted, and
// counted it.
type Heartbeat struct {
	// Since is when it first did.
	Since metav1.Time `json:"since"`
	// Last is when it last did.
	Last metav1.Time `json:"last"`
	// Gaps are the times between in which it did not for longer than ten minutes, in order.
	// Of more than 20 the oldest are one, as long as they were together.
	//
	// +optional
	// +listType=atomic
	Gaps []HeartbeatPause `json:"gaps,omitempty"`
}

// HeartbeatPause is a time without a heartbeat.
type HeartbeatPause struct {
	From  metav1.Time `json:"from"`
	Until metav1.Time `json:"until"`
}

// NamespaceControl is one control in one namespace.
type NamespaceControl struct {
	ID string `json:"id"`
	// Violations counts the workloads, or other objects, that would be refused at their
	// next start: pods count as their owner.
	Violations int32 `json:"violations"`
	// Exempt counts those that an Exemption covers.
	//
	// +optional
	Exempt int32 `json:"exempt,omitempty"`
	// BlockedBy are the first of the owners: "Deployment/web".
	//
	// +optional
	// +listType=atomic
	BlockedBy []string `json:"blockedBy,omitempty"`
	// CleanSince is since when neither an audit nor the webhook has seen a violation;
	// absent while there is one.
	//
	// +optional
	CleanSince *metav1.Time `json:"cleanSince,omitempty"`
	// Modes are what the rollouts of policies have come to here. The webhook goes by them.
	//
	// +optional
	// +listType=map
	// +listMapKey=policy
	Modes []RolloutMode `json:"modes,omitempty"`
}

// RolloutMode is what the rollout of a policy has come to.
type RolloutMode struct {
	Policy string `json:"policy"`
	// UID is that of the policy: one that is deleted and made again begins anew.
	//
	// +optional
	UID types.UID `json:"uid,omitempty"`
	// Mode is what holds: what the policy says, or what has been reached, whichever is
	// stricter, or a pin.
	Mode Mode `json:"mode"`
	// Reached is what the rollout itself has led to; absent before its first step. The
	// webhook goes by it and by the policy: a policy that is made milder by hand is milder.
	//
	// +optional
	Reached Mode `json:"reached,omitempty"`
	// Since is when it came to it, or was let go.
	Since metav1.Time `json:"since"`
	// Held is whether a pin or an exclusion keeps it from going on.
	//
	// +optional
	Held bool `json:"held,omitempty"`
	// Parameters tell apart by which parameters it came to it.
	//
	// +optional
	Parameters string `json:"parameters,omitempty"`
}

// ObjectFinding is one thing that is wrong with an object.
type ObjectFinding struct {
	Control string `json:"control"`
	// Object is its kind and name: "Deployment/web".
	Object string `json:"object"`
	Path   string `json:"path"`
	Detail string `json:"detail"`
}

// AdmissionTally counts what the webhook would have refused.
type AdmissionTally struct {
	Control string `json:"control"`
	// Count is how many requests, since the report was made.
	Count int64 `json:"count"`
	// Last is when the last of them came.
	Last metav1.Time `json:"last"`
	// Object is what it was about: "Pod/web-x7f2p".
	Object string `json:"object"`
}

// NamespaceReportList is a list of NamespaceReports.
//
// +kubebuilder:object:root=true
type NamespaceReportList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []NamespaceReport `json:"items"`
}
