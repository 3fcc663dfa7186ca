// Package rollout decides which controls become stricter in which namespaces: the plan of
// all rollouts, a pure function of policies, audits, what the webhook would have refused,
// and the time. What has been reached is in the NamespaceReports and nowhere else.
//
// Nothing is promoted that would refuse a running workload at its next start, and nothing
// that cannot be told is clean.
package rollout

import (
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// DefaultWindow is how long a cell has to be clean before each step.
const DefaultWindow = 7 * 24 * time.Hour

// In is what a plan goes by.
type In struct {
	// Policies are those that are understood.
	Policies []v1alpha1.WorkloadPolicy
	// Unread are the names of those that exist and are not understood. What they have come
	// to stays as it is stored: a slip in a policy must not cost weeks.
	Unread []string
	// Unasked are namespaces about which the API server never asks the webhook. Nothing is
	// led on there: a mode would promise what nobody keeps.
	Unasked []string
	// Namespaces are all that exist, by name. Objects without one are in "".
	Namespaces map[string]Namespace
	// Reports are the stored ones, by namespace.
	Reports map[string]v1alpha1.NamespaceReportStatus
	// Audit is the last one; the zero value where there has been none.
	Audit Audit
	// Heartbeat is the webhook's; nil where none was ever heard of. Time in which it was not is
	// no part of a clean window.
	Heartbeat *v1alpha1.Heartbeat
	// Confirmed are namespaces that have been audited once more, right now.
	Confirmed map[string]bool
	// Frozen says why nothing may be promoted; empty where it may.
	Frozen string
}

// Namespace is what a rollout asks of one.
type Namespace struct {
	Labels  labels.Set
	Created time.Time
}

// Audit is what was found at one time.
type Audit struct {
	Started, Finished time.Time
	// Complete is whether everything could be read.
	Complete bool
	// Current is whether it went by the policies and exemptions that are in force now.
	Current bool
	// Fresh is how old it may be.
	Fresh time.Duration
	// Cells are the counts by namespace. A namespace that is not there has not been looked at.
	Cells map[string]map[control.ID]Count
}

// Count is what an audit found in a cell.
type Count struct {
	// Violations counts owners that would be refused, Exempt those that an Exemption covers.
	Violations, Exempt int
	// Owners are the first of the former.
	Owners []string
}

// Promotion is a step.
type Promotion struct {
	Policy, Namespace string
	Control           control.ID
	From, To          control.Mode
}

// Out is a plan.
type Out struct {
	// Controls is what the reports are to say of each control, by namespace.
	Controls map[string][]v1alpha1.NamespaceControl
	// Ahead are the tallies of namespaces with some from clocks that are ahead: as of now, as
	// the reports are to have them. They would count as seen just now for as long as the
	// clocks were ahead.
	Ahead map[string][]v1alpha1.AdmissionTally
	// Proposals are steps that are due in namespaces that are not confirmed. Promoted are
	// those in Controls.
	Proposals, Promoted []Promotion
	// Policies is the status of each policy, by name.
	Policies map[string]v1alpha1.WorkloadPolicyStatus
	// Cells are all that each policy leads, those that are blocked first; the status has
	// the first of them.
	Cells map[string][]v1alpha1.RolloutCell
	// Modes counts the cells of all rollouts.
	Modes map[control.Mode]int
	// Again is when a step may become due by time alone; zero where none does.
	Again time.Time
}

// Plan plans.
func Plan(in In, now time.Time) Out {
	p := &planner{In: in, now: now, out: Out{
		Controls: map[string][]v1alpha1.NamespaceControl{}, Policies: map[string]v1alpha1.WorkloadPolicyStatus{}, Modes: map[control.Mode]int{}, Cells: map[string][]v1alpha1.RolloutCell{},
		Ahead: map[string][]v1alpha1.AdmissionTally{},
	}}
	p.unheard = unheard(in.Heartbeat, now)
	policies := compile(in.Policies)
	p.namespace("", Namespace{}, policies)
	for name, ns := range in.Namespaces {
		p.namespace(name, ns, policies)
	}
	for _, c := range policies {
		p.out.Policies[c.name] = c.status()
		if len(c.cells) > 0 {
			p.out.Cells[c.name] = c.cells
		}
	}
	p.sort()
	return p.out
}
