package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// NodeReport is what the agent on a node found there. It has the node's name and is
// owned by it. The agent alone writes it, when what it says changes: how fresh it is
// says the Lease of the same name in the agent's namespace. Root on the node can
// make the agent say anything: a report is hygiene, not an attestation.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,shortName=nrep,categories=hardgate
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Pass",type=integer,JSONPath=`.status.summary.pass`
// +kubebuilder:printcolumn:name="Fail",type=integer,JSONPath=`.status.summary.fail`
// +kubebuilder:printcolumn:name="Unknown",type=integer,JSONPath=`.status.summary.unknown`
// +kubebuilder:printcolumn:name="Exempt",type=integer,JSONPath=`.status.summary.exempt`
// +kubebuilder:printcolumn:name="First failing",type=string,JSONPath=`.status.results[?(@.status=="Fail")].control`
// +kubebuilder:printcolumn:name="OS",type=string,JSONPath=`.status.os`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Benchmark",type=string,priority=1,JSONPath=`.status.benchmarks`
// +kubebuilder:printcolumn:name="Rule set",type=string,priority=1,JSONPath=`.status.ruleSet`
// +kubebuilder:printcolumn:name="Agent",type=string,priority=1,JSONPath=`.status.agentVersion`
type NodeReport struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what the controller asks of the agent. Absent, the agent goes by its
	// flags.
	//
	// +optional
	Spec *NodeReportSpec `json:"spec,omitempty"`

	// The status is written as a whole: what another adds goes with the next write.
	//
	// +optional
	// +structType=atomic
	Status NodeReportStatus `json:"status,omitzero"`
}

// NodeReportSpec says by which rules the agent judges its node: those of the
// NodePolicies that select it. The controller writes it and the agent reads it, so
// that a policy can change without a rollout of agents. All controls are judged
// whatever it says.
type NodeReportSpec struct {
	// Benchmarks are those whose rules count; where several do, the stricter rule.
	// Empty means the rules of the source documents.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Benchmarks []string `json:"benchmarks,omitempty"`

	// UnnecessaryModules are the kernel modules that mod-unnecessary judges.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=512
	UnnecessaryModules []string `json:"unnecessaryModules,omitempty"`
}

// NodeReportStatus is the outcome of one scan. It holds no time and is at most
// 128 KiB: what is left out is counted.
type NodeReportStatus struct {
	// ObservedGeneration is the metadata.generation of the spec by which this was
	// judged. Zero means that the agent went by its flags.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// AgentVersion is the version of the agent, with the commit where it is known.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=256
	AgentVersion string `json:"agentVersion,omitempty"`

	// RuleSet changes when other controls are judged, or by other rules: verdicts
	// may differ then though the node does not.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=64
	RuleSet string `json:"ruleSet,omitempty"`

	// Benchmarks are those whose controls and rules apply. Absent means all
	// controls, by the rules of the source documents.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Benchmarks []string `json:"benchmarks,omitempty"`

	// OS is the name of the operating system, as /etc/os-release gives it.
	//
	// +optional
	OS string `json:"os,omitempty"`

	// Summary counts the results by status.
	//
	// +optional
	Summary NodeSummary `json:"summary,omitzero"`

	// Results has one entry for each control, in the order of the catalogue.
	//
	// +optional
	// +listType=map
	// +listMapKey=control
	// +kubebuilder:validation:MaxItems=256
	Results []NodeResult `json:"results,omitempty"`
}

// NodeSummary counts results by status.
type NodeSummary struct {
	Pass          int32 `json:"pass"`
	Fail          int32 `json:"fail"`
	NotApplicable int32 `json:"notApplicable"`
	Manual        int32 `json:"manual"`
	Unknown       int32 `json:"unknown"`
	Exempt        int32 `json:"exempt"`
}

// NodeResult is the verdict on one control.
type NodeResult struct {
	// Control is the control's id; `hardgate controls` lists them.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Control string `json:"control"`

	// Status is the verdict. Unknown means that something could not be read, and is
	// neither a pass nor a failure.
	//
	// +kubebuilder:validation:Enum=Pass;Fail;NotApplicable;Manual;Unknown;Exempt
	Status string `json:"status"`

	// Findings say why the status is not Pass. The last may say how many more
	// there are.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Findings []NodeFinding `json:"findings,omitempty"`
}

// NodeFinding is one place on the node, what should be there and what is. Long
// values are cut, and what cannot be printed is escaped.
type NodeFinding struct {
	// Path is a file or directory of the node, with a line where there is one; the
	// control's id where no file is to blame.
	//
	// +optional
	Path string `json:"path,omitempty"`

	// +optional
	Expected string `json:"expected,omitempty"`

	// +optional
	Actual string `json:"actual,omitempty"`

	// Detail is the rest that a person needs to know.
	//
	// +optional
	Detail string `json:"detail,omitempty"`

	// State is "running" for what is in force and "persisted" for what the node
	// would come up with, where a control has both.
	//
	// +optional
	State string `json:"state,omitempty"`

	// Drift is "now" or "at-reboot" where only one of the two states is wrong.
	//
	// +optional
	Drift string `json:"drift,omitempty"`
}

// NodeReportList is a list of NodeReports.
//
// +kubebuilder:object:root=true
type NodeReportList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []NodeReport `json:"items"`
}
