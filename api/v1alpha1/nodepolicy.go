package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// PauseAnnotation stops the controller where it stands: on a Node for that node, on a
// NodePolicy for the nodes that it selects, on the controller's namespace for all. Its
// value says why; what it says does not matter. No taint is set or removed while it
// is there.
const PauseAnnotation = "hardgate.dev/pause"

// NodePolicy says which controls are judged on which nodes, and what follows when one
// fails. Where several policies select a node, the strictest wins: the stricter mode
// of a control, the stronger effect, the shorter grace period, the longer time until
// a taint is cleared; and of the limits that protect the cluster, the lower. A policy
// that only audits has no say in effects and times, and only those limits that it
// gives. A control that no policy mentions is in mode Audit: it is reported and nothing
// follows.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,shortName=npol,categories=hardgate
// +kubebuilder:printcolumn:name="Mode",type=string,JSONPath=`.spec.mode`
// +kubebuilder:printcolumn:name="Benchmark",type=string,JSONPath=`.spec.benchmark`
// +kubebuilder:printcolumn:name="Level",type=string,JSONPath=`.spec.level`
// +kubebuilder:printcolumn:name="Effect",type=string,priority=1,JSONPath=`.spec.effect`
// +kubebuilder:printcolumn:name="Budget",type=string,priority=1,JSONPath=`.spec.budget.cluster`
// +kubebuilder:printcolumn:name="Nodes",type=string,priority=1,JSONPath=`.spec.nodeSelector.matchLabels`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type NodePolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec NodePolicySpec `json:"spec"`
}

// NodePolicySpec is what a NodePolicy asks for. Unknown fields reach the webhook,
// which refuses them and names the nearest known one.
//
// +kubebuilder:pruning:PreserveUnknownFields
type NodePolicySpec struct {
	// NodeSelector selects nodes by their labels. Absent or empty selects all.
	//
	// +optional
	NodeSelector *metav1.LabelSelector `json:"nodeSelector,omitempty"`

	// Benchmark limits mode to the controls that have a number in it, and makes the
	// agents judge by its rules; `hardgate controls` lists the benchmarks. Absent
	// means every control of nodes, by the rules of the source documents. Of several
	// policies the stricter rules count; one that only audits has no say in them beside
	// one that warns or enforces.
	//
	// +optional
	Benchmark string `json:"benchmark,omitempty"`

	// Level limits mode to the controls of this level and those below it: L1 or L2.
	// Controls for which no level is given are of both.
	//
	// +optional
	// +kubebuilder:validation:Enum=L1;L2
	Level string `json:"level,omitempty"`

	// Mode is for every control of benchmark and level that is not listed in
	// controls. Audit only reports. Warn sets the condition HardeningCompliant to
	// False, and a taint with the effect PreferNoSchedule. Enforce sets the taint.
	// Without it, the policy says nothing of those controls.
	//
	// +optional
	Mode Mode `json:"mode,omitempty"`

	// Controls sets single controls, also those that are not of the benchmark.
	//
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=200
	Controls []NodeControlSetting `json:"controls,omitempty"`

	// Effect of the taint in mode Enforce. NoExecute also evicts what runs on the
	// node and does not tolerate the taint. NoSchedule when absent.
	//
	// +optional
	// +kubebuilder:validation:Enum=NoSchedule;NoExecute
	Effect string `json:"effect,omitempty"`

	// GracePeriod is how long a node must have failed before it is tainted. 5m when
	// absent.
	//
	// +optional
	GracePeriod *metav1.Duration `json:"gracePeriod,omitempty"`

	// ClearAfter is how long a node must have passed before its taint is removed. 1m
	// when absent.
	//
	// +optional
	ClearAfter *metav1.Duration `json:"clearAfter,omitempty"`

	// MinimumDwell is how long a taint stays at least. 5m when absent.
	//
	// +optional
	MinimumDwell *metav1.Duration `json:"minimumDwell,omitempty"`

	// StaleAfter is how long nothing may have been heard of a node's agent until the
	// node is treated as stale says. Before that, the last verdict stands, and the
	// condition HardeningReportStale says so once the agent's lease has ended. 1h
	// when absent.
	//
	// +optional
	StaleAfter *metav1.Duration `json:"staleAfter,omitempty"`

	// Stale is what happens to a node of whose agent nothing was heard for longer
	// than staleAfter: Keep lets the last verdict stand, Warn and Enforce count as a
	// control that fails in that mode. Keep when absent.
	//
	// +optional
	// +kubebuilder:validation:Enum=Keep;Warn;Enforce
	Stale string `json:"stale,omitempty"`

	// Budget bounds how many nodes are tainted.
	//
	// +optional
	Budget *NodeBudget `json:"budget,omitempty"`

	// ControlPlane allows taints on control-plane nodes.
	//
	// +optional
	ControlPlane bool `json:"controlPlane,omitempty"`

	// UntrustedUntilChecked taints new nodes when they register. The taint goes with
	// the first report in which no enforced control fails or is unknown.
	//
	// +optional
	UntrustedUntilChecked bool `json:"untrustedUntilChecked,omitempty"`
}

// NodeControlSetting sets one control.
//
// +kubebuilder:pruning:PreserveUnknownFields
type NodeControlSetting struct {
	// ID is the control's id; `hardgate controls` lists them.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	ID string `json:"id"`

	// Mode of this control; spec.mode where it is absent.
	//
	// +optional
	Mode Mode `json:"mode,omitempty"`

	// Parameters complete the control. Each belongs to certain controls and is
	// refused elsewhere.
	//
	// +optional
	Parameters *NodeParameters `json:"parameters,omitempty"`
}

// NodeParameters are what sites differ in. Each field names the controls that read it.
//
// +kubebuilder:pruning:PreserveUnknownFields
type NodeParameters struct {
	// UnnecessaryModules are kernel modules that must not be loadable. Read by
	// mod-unnecessary.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	UnnecessaryModules []string `json:"unnecessaryModules,omitempty"`
}

// NodeBudget bounds how many nodes carry the taint at the same time. Numbers are
// nodes, percentages are of the nodes that are Ready and would be schedulable without
// the taint; they are rounded down, to one node at least. Removing a taint is always
// allowed.
//
// +kubebuilder:pruning:PreserveUnknownFields
type NodeBudget struct {
	// Cluster bounds the tainted nodes of the cluster. 10% when absent.
	//
	// +optional
	Cluster *intstr.IntOrString `json:"cluster,omitempty"`

	// Pool bounds the tainted nodes of each pool. 25% when absent.
	//
	// +optional
	Pool *intstr.IntOrString `json:"pool,omitempty"`

	// Correlation is how many of the nodes may fail one and the same control at the
	// same time. Where more do, and two at least, the rule or the image is at fault:
	// nobody new is tainted. 20% when absent.
	//
	// +optional
	Correlation *intstr.IntOrString `json:"correlation,omitempty"`
}

// NodePolicyList is a list of NodePolicies.
//
// +kubebuilder:object:root=true
type NodePolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []NodePolicy `json:"items"`
}
