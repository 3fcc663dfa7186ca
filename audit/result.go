// Package audit judges what stands in a cluster by the policies of the webhook.
//
// It reads pages and keeps counts: of a pod nothing stays but that it was counted, and
// eight bytes for each different fault and each owner that has it. What it finds is what
// the webhook would say of the same object, word for word.
package audit

import (
	"time"

	"github.com/hardgate-dev/hardgate/audit/clusterwide"
	"github.com/hardgate-dev/hardgate/control"
)

// Result is one pass.
type Result struct {
	Started, Finished time.Time
	// Objects is how many were judged.
	Objects int
	// Namespaces are by name, one for each namespace that exists; "" has the objects
	// without a namespace.
	Namespaces map[string]*Summary
	// Missed says which resources could not be read to the end, and why. Nothing is
	// known to be clean then.
	Missed []Miss
	// Clusterwide are the verdicts on what no single object can break.
	Clusterwide []Clusterwide
}

// Miss is a resource that could not be read.
type Miss struct {
	Resource string // "pods", "ciliumnetworkpolicies.cilium.io"
	Err      error
}

// Clusterwide is a verdict on the cluster as a whole.
type Clusterwide = clusterwide.Verdict

// Summary is what was found in one namespace. It is bounded.
type Summary struct {
	// Objects were judged, Failing fail something, Exempt would but for an Exemption.
	Objects, Failing, Exempt int
	Controls                 map[control.ID]*Tally
	// Findings are the first, in an order that does not depend on that of the pages.
	Findings []Finding
	// Hash is over all that was found, not only over what is kept.
	Hash string
}

// Tally is one control in one namespace. Owners are what starts pods: the Deployment of a
// ReplicaSet's pods, or the object itself. What starts nothing any more (a finished pod,
// an old ReplicaSet of a Deployment) has findings and is no owner.
type Tally struct {
	// Judged is how many objects the control is about.
	Judged int
	// Failing is how many owners would be refused, if the control were enforced; not those
	// whose pods would be repaired.
	Failing int
	// Exempt is how many would be, but for an Exemption.
	Exempt int
	// Manual is how many a person must judge.
	Manual int
	// Objects is how many objects fail, whatever becomes of them.
	Objects int
	// Owners are the first of those that fail: "Deployment/web".
	Owners []string
}

// Finding is one thing that is wrong with an object.
type Finding struct {
	Control control.ID
	Object  string // "Deployment/web"
	Path    string
	Detail  string
}
