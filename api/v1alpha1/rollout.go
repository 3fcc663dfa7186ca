package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Rollout leads the controls of a WorkloadPolicy from their modes to a stricter one, a
// step at a time: Audit, Warn, Enforce. A cell is one control in one namespace. It takes
// a step when nothing in it would have been refused for the clean window: neither at
// admission nor in the audits of what is there.
//
// +kubebuilder:pruning:PreserveUnknownFields
type Rollout struct {
	// Target is where it leads: Warn or Enforce; Enforce when absent.
	//
	// +optional
	Target Mode `json:"target,omitempty"`

	// CleanWindow is how long a cell has to be clean before each step; seven days
	// ("168h") when absent.
	//
	// +optional
	CleanWindow *metav1.Duration `json:"cleanWindow,omitempty"`

	// Paused stops all steps. What has been reached stays.
	//
	// +optional
	Paused bool `json:"paused,omitempty"`

	// Exclude are cells that take no step: they have the mode that the policy says.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=200
	Exclude []RolloutCells `json:"exclude,omitempty"`

	// Pins hold cells at a mode, stricter or milder than what they have reached, from
	// the moment that they are written; or, with atMost, keep them from being stricter. A
	// cell that is let go goes on from there, though never below what the policy says, with
	// a new clean window. Of several that hold a cell, the last counts.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=200
	Pins []RolloutPin `json:"pins,omitempty"`
}

// RolloutCells are controls in namespaces.
//
// +kubebuilder:pruning:PreserveUnknownFields
type RolloutCells struct {
	// Namespaces by name; "cluster.scoped" for objects that have none. Absent means all.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	Namespaces []string `json:"namespaces,omitempty"`

	// Controls by id. Absent means all.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=200
	Controls []string `json:"controls,omitempty"`
}

// RolloutPin holds cells at a mode, or below it.
//
// +kubebuilder:pruning:PreserveUnknownFields
type RolloutPin struct {
	RolloutCells `json:",inline"`

	// Mode is that of the cells.
	Mode Mode `json:"mode"`

	// AtMost makes the mode a ceiling: cells that would be in a stricter one, by this policy,
	// its rollout or the pins before, are in this one. Milder ones stay as they are, and go on
	// up to it.
	//
	// +optional
	AtMost bool `json:"atMost,omitempty"`
}

// WorkloadPolicyStatus says how far a rollout has come.
type WorkloadPolicyStatus struct {
	// ObservedGeneration is the generation of the spec that this is about.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Rollout is absent where the spec has none.
	//
	// +optional
	Rollout *RolloutStatus `json:"rollout,omitempty"`

	// Conditions has FailsClosed where the policy enforces something: it is False while the
	// API server would let through there what it cannot ask the webhook about.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// ConditionFailsClosed is whether what a WorkloadPolicy enforces is refused while no webhook
// answers. Namespaces that every cluster has of itself, and hardgate's own, do not count.
const ConditionFailsClosed = "FailsClosed"

// RolloutStatus counts cells. Those of controls that are Off are left out.
type RolloutStatus struct {
	Target Mode `json:"target"`
	// Audit, Warn and Enforce count the cells in these modes.
	Audit   int32 `json:"audit"`
	Warn    int32 `json:"warn"`
	Enforce int32 `json:"enforce"`
	// Held counts the cells that a pin or an exclusion keeps from going on.
	//
	// +optional
	Held int32 `json:"held,omitempty"`
	// Violations counts the workloads that would be refused at their next start, each
	// once for each cell.
	Violations int32 `json:"violations"`
	// CleanSince is when the last violation of any cell ended; absent while there are any.
	//
	// +optional
	CleanSince *metav1.Time `json:"cleanSince,omitempty"`
	// BlockedBy names the first of what blocks a step, and says how much more there is.
	//
	// +optional
	BlockedBy string `json:"blockedBy,omitempty"`
	// Cells are those that are blocked, then those that changed last, at most 100.
	// `hardgate rollout` shows all.
	//
	// +optional
	// +listType=atomic
	Cells []RolloutCell `json:"cells,omitempty"`
}

// RolloutCell is one control in one namespace.
type RolloutCell struct {
	Namespace string `json:"namespace"`
	Control   string `json:"control"`
	Mode      Mode   `json:"mode"`
	// Since is when the cell came to its mode.
	//
	// +optional
	Since *metav1.Time `json:"since,omitempty"`
	// Violations counts workloads that would be refused at their next start.
	Violations int32 `json:"violations"`
	// CleanSince is absent while there are violations.
	//
	// +optional
	CleanSince *metav1.Time `json:"cleanSince,omitempty"`
	// BlockedBy are the first of the owners of what would be refused: "Deployment/web".
	//
	// +optional
	// +listType=atomic
	BlockedBy []string `json:"blockedBy,omitempty"`
	// Next says what comes next and when, or why nothing does.
	Next string `json:"next"`
	// Summary is all this in a line.
	Summary string `json:"summary"`
}
