package policy

import (
	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// Policy judges one control. Each is one literal in the file of its name, listed
// in All.
type Policy struct {
	ID control.ID

	// Judges says which objects the control is about; it is NotApplicable to all
	// others.
	Judges func(*Subject) bool

	// LinuxOnly controls are about fields that the API server refuses for Windows
	// pods: NotApplicable to those.
	LinuxOnly bool

	// Check returns what is wrong; none is a pass. Pure.
	Check func(*Subject) []Finding

	// Undecidable is whether the parameters leave nothing to judge by: the status
	// is Manual then. nil: always decidable.
	Undecidable func(*v1alpha1.Parameters) bool

	// Parameters names the fields of Parameters that Check reads.
	Parameters []string

	// Fix returns defaults that mend the object without overriding anything it
	// says; it is for objects that Judge fails. nil where no change is safe. Pure; a
	// second Fix returns nothing.
	Fix func(*Subject) []Default
}

// Subject is what a policy judges.
type Subject struct {
	*workload.Object

	// Parameters are those of the policy resource in force; the zero value is the
	// strictest, except that the usual system namespaces are exempt in it.
	Parameters v1alpha1.Parameters

	// Admitted is whether the object comes from the API server: its pods have had
	// their defaults and their service account token then.
	Admitted bool

	// Stored is whether the object is in the cluster already, and not only asked for:
	// that a pod has a node is the scheduler's work then.
	Stored bool

	// AccountAutomount is automountServiceAccountToken of the ServiceAccount that a
	// pod names; unset where the account does not say or is not known.
	AccountAutomount workload.Optional[bool]
}

// Verdict is a policy's answer for one object.
type Verdict struct {
	Status   control.Status
	Findings []Finding
}

// Judge applies the policy to s.
func (p *Policy) Judge(s *Subject) Verdict {
	switch {
	case !p.Judges(s), p.LinuxOnly && s.Pod != nil && s.Pod.Windows():
		return Verdict{Status: control.NotApplicable}
	case p.Undecidable != nil && p.Undecidable(&s.Parameters):
		return Verdict{Status: control.ByHand}
	}
	if findings := p.Check(s); len(findings) > 0 {
		return Verdict{Status: control.Fail, Findings: findings}
	}
	return Verdict{Status: control.Pass}
}

// pods is for policies about the pod inside an object.
func pods(s *Subject) bool { return s.Pod != nil }
