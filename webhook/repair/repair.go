package repair

import (
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// Annotation tells the reader of an object which controls it was repaired for:
// "net-raw,seccomp". It is no evidence, since whoever makes an object can write it, and
// nothing follows from it.
const Annotation = "hardgate.dev/repaired"

// Exempt is verdict.Exempt: the name of the Exemption that covers a finding.
type Exempt = func(control.ID, *policy.Finding) string

// Repair is what is added to an object.
type Repair struct {
	// Patch is a JSON patch (RFC 6902) of additions; nil where there is nothing to add.
	Patch []byte
	// Changes are what it adds, in the order of the rulings, without the annotation.
	Changes []Change
}

// Change is one field that is added for a control, in all places alike.
type Change struct {
	ID control.ID
	// Field is the path below Containers, or below the object where there are none.
	Field string
	// Value is that of the field; a list was added to the one that was there.
	Value any
	// Containers are the names of those in which it is added.
	Containers []string
}

// Make returns the repair of a new object under the rulings of its namespace that ask
// for one, in whatever mode: those that are Off are not among them. raw is the object,
// subject the same, decoded; exempt may be nil. The error is for an object that does not
// read as its subject does.
func Make(raw []byte, subject *policy.Subject, judged []ruling.Judged, exempt Exempt) (Repair, error) {
	if p := subject.Pod; p != nil && (p.Template || windows(p) || subject.Mirror) {
		return Repair{}, nil
	}
	s := *subject // its parameters are those of each ruling
	var wanted []wish
	var ids []control.ID
	for i := range judged {
		j := &judged[i]
		if !j.Repairs() {
			continue
		}
		ids = append(ids, j.Policy.ID)
		for _, r := range j.Rulings {
			if r.Repair {
				s.Parameters = r.Parameters
				wanted = append(wanted, wishes(j.Policy, &s, exempt)...)
			}
		}
	}
	if len(wanted) == 0 {
		return Repair{}, nil
	}
	return add(raw, wanted, ids)
}

// windows is whether a pod is for Windows nodes: one that asks for a host process is, also
// where it does not say so. Fields of Linux are no use to it.
func windows(p *workload.Pod) bool {
	if p.Windows() || p.Security.HostProcess.Value {
		return true
	}
	for c := range p.Containers() {
		if c.Security.HostProcess.Value {
			return true
		}
	}
	return false
}
