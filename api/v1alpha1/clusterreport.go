package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ClusterReportName is the name of the one ClusterReport.
const ClusterReportName = "cluster"

// The conditions of a ClusterReport.
const (
	// ConditionCorrelationStop is True while so many nodes fail one control that the
	// rule or the image is at fault: nobody new is tainted.
	ConditionCorrelationStop = "CorrelationStop"
	// ConditionPoliciesUnderstood is False while a NodePolicy or an Exemption is not
	// understood: no taint is set or removed.
	ConditionPoliciesUnderstood = "PoliciesUnderstood"
	// ConditionBudgetExhausted is True while a node that should be tainted is not,
	// because the budget is used up.
	ConditionBudgetExhausted = "BudgetExhausted"
	// ConditionPaused is True while the controller's namespace is annotated to pause.
	ConditionPaused = "Paused"
)

// ClusterReport is what the controller says of the cluster as a whole. There is one,
// called cluster.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,shortName=crep,categories=hardgate
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Score",type=string,JSONPath=`.status.score.summary`
// +kubebuilder:printcolumn:name="Nodes",type=integer,JSONPath=`.status.nodes.total`
// +kubebuilder:printcolumn:name="Compliant",type=integer,JSONPath=`.status.nodes.compliant`
// +kubebuilder:printcolumn:name="Drifted",type=integer,JSONPath=`.status.nodes.drifted`
// +kubebuilder:printcolumn:name="Tainted",type=integer,JSONPath=`.status.nodes.tainted`
// +kubebuilder:printcolumn:name="Held",type=integer,JSONPath=`.status.nodes.held`
// +kubebuilder:printcolumn:name="Stopped",type=string,JSONPath=`.status.conditions[?(@.type=="CorrelationStop")].status`
// +kubebuilder:printcolumn:name="Paused",type=string,JSONPath=`.status.conditions[?(@.type=="Paused")].status`
// +kubebuilder:printcolumn:name="Audited",type=date,JSONPath=`.status.audit.finished`
// +kubebuilder:printcolumn:name="Understood",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="PoliciesUnderstood")].status`
// +kubebuilder:printcolumn:name="Unverified",type=integer,priority=1,JSONPath=`.status.nodes.unverified`
// +kubebuilder:printcolumn:name="Stale",type=integer,priority=1,JSONPath=`.status.nodes.stale`
type ClusterReport struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Status ClusterReportStatus `json:"status,omitzero"`
}

// ClusterReportStatus is written by the controller alone.
type ClusterReportStatus struct {
	// Conditions are CorrelationStop, PoliciesUnderstood, BudgetExhausted and Paused.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// Nodes counts the nodes.
	//
	// +optional
	Nodes NodeCounts `json:"nodes,omitzero"`

	// RuleSets are the versions of agents and rules whose verdicts have been seen. A
	// verdict of another version taints nobody until the fleet has been seen by it.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	RuleSets []AcceptedRuleSet `json:"ruleSets,omitempty"`

	// Audit is the last audit of what is there.
	//
	// +optional
	Audit *AuditStatus `json:"audit,omitempty"`

	// Score counts the scored rows.
	//
	// +optional
	Score *Score `json:"score,omitempty"`

	// Rows are those of the two source documents, in their order.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=400
	Rows []BenchmarkRow `json:"rows,omitempty"`
}

// AuditStatus is one pass over all objects.
type AuditStatus struct {
	Started  metav1.Time `json:"started"`
	Finished metav1.Time `json:"finished"`
	// Objects is how many were judged.
	Objects int32 `json:"objects"`
	// Missed are resources that could not be read, and why: nothing passes then that the
	// audit is asked for.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Missed []string `json:"missed,omitempty"`
}

// Score counts rows that the benchmark scores; the others do not count. Those that do
// not apply are left out.
type Score struct {
	// Scored is how many rows there are.
	Scored int32 `json:"scored"`
	// Passed are those that hardgate has seen pass.
	Passed int32 `json:"passed"`
	// Attested are those of which the provider says that they pass, or that something
	// else does the same. They are not among those that passed.
	Attested int32 `json:"attested"`
	// Summary is "37/98 (24 attested)": passed, scored and attested.
	Summary string `json:"summary"`
	// Statuses count all rows by status, scored or not.
	//
	// +optional
	Statuses map[string]int32 `json:"statuses,omitempty"`
}

// BenchmarkRow is one row of a source document, for this cluster.
type BenchmarkRow struct {
	// Document is "kubernetes" or "host".
	Document string `json:"document"`
	// ID is the row's number in the document; two rows may have one.
	ID      string `json:"id"`
	Control string `json:"control"`
	Title   string `json:"title"`
	// Scored is absent where the document does not say.
	//
	// +optional
	Scored *bool `json:"scored,omitempty"`
	// Level is "L1" or "L2"; empty where the document does not say.
	//
	// +optional
	Level string `json:"level,omitempty"`
	// Status is Pass, Fail, NotApplicable, Manual, Unknown, Attested or Exempt.
	Status string `json:"status"`
	// Source says whose verdict it is: "audit", "nodes", the provider's document, or empty.
	//
	// +optional
	Source string `json:"source,omitempty"`
	// Detail says what the verdict is by, in a line: counts, the first that fails, the
	// provider's own word.
	//
	// +optional
	Detail string `json:"detail,omitempty"`
	// Statement is the provider's own word, where it has one on this cluster: "pass",
	// "fail", "equivalent-control", "not-applicable" or "depends-on-environment".
	//
	// +optional
	Statement string `json:"statement,omitempty"`
	// NodesPassing and Nodes are given for rows that are measured on nodes.
	//
	// +optional
	NodesPassing *int32 `json:"nodesPassing,omitempty"`
	// +optional
	Nodes *int32 `json:"nodes,omitempty"`
}

// NodeCounts counts nodes. Compliant, Warned, Drifted and Unknown add up to total.
type NodeCounts struct {
	Total int32 `json:"total"`
	// Compliant nodes fail nothing that is warned of or enforced.
	Compliant int32 `json:"compliant"`
	// Warned nodes fail what is warned of and nothing that is enforced.
	Warned int32 `json:"warned"`
	// Drifted nodes fail what is enforced.
	Drifted int32 `json:"drifted"`
	// Unknown nodes have no verdict yet.
	Unknown int32 `json:"unknown"`
	// Stale nodes are those of whose agent nothing was heard for long.
	Stale int32 `json:"stale"`
	// Tainted nodes carry the taint of drifted nodes.
	Tainted int32 `json:"tainted"`
	// Unverified nodes carry the taint of nodes that have not been checked.
	Unverified int32 `json:"unverified"`
	// Held nodes should be tainted and are not, for the sake of the cluster.
	Held int32 `json:"held"`
}

// AcceptedRuleSet is one version of agent and rules by which the fleet has been seen,
// or is being seen.
type AcceptedRuleSet struct {
	AgentVersion string `json:"agentVersion"`
	RuleSet      string `json:"ruleSet"`
	// Orders tells apart nodes that are asked for other benchmarks or modules: each
	// kind is seen by itself. Empty where nothing is asked for.
	//
	// +optional
	Orders string `json:"orders,omitempty"`
	// FirstSeen is when the first report by it came.
	FirstSeen metav1.Time `json:"firstSeen"`
	// Accepted is whether the fleet has been seen by it: its verdicts count then.
	Accepted bool `json:"accepted"`
}

// ClusterReportList is a list of ClusterReports.
//
// +kubebuilder:object:root=true
type ClusterReportList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ClusterReport `json:"items"`
}
