package scorecard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// maxNamed is how many nodes are named of those that fail a control.
const maxNamed = 3

// Nodes count what the agents report, control by control. First every node is told with
// Node, then every report with Add, in any order and in pages: nothing of them is kept
// but a name. It is not safe for concurrent use.
type Nodes struct {
	// Exempt is whether an Exemption lets a control fail on a node; it may be nil.
	Exempt func(id control.ID, node string) bool

	reported map[string]bool // whether the node's report has been added
	aks      int
	controls map[control.ID]*tally
}

// tally is one control on all nodes that have a report.
type tally struct {
	// pass to notApplicable are by reports that are fresh; a failure counts however old
	// the report is.
	pass, fail, exempt, manual, unknown, notApplicable int
	failing                                            []string // the first by name
}

// Node tells of a node that exists.
func (n *Nodes) Node(name string, labels map[string]string, providerID string) {
	if n.reported == nil {
		n.reported = map[string]bool{}
	}
	if _, known := n.reported[name]; known {
		return
	}
	n.reported[name] = false
	if AKS(labels, providerID) {
		n.aks++
	}
}

// Add tells of a report. It has an entry for every control that the agent has judged, so
// that one without has not been judged. A report that is not fresh says of nothing that
// it is in order; one of a node that does not exist says nothing.
func (n *Nodes) Add(r *v1alpha1.NodeReport, fresh bool) {
	added, exists := n.reported[r.Name]
	if !exists || added || len(r.Status.Results) == 0 { // empty: the agent has not written yet
		return
	}
	n.reported[r.Name] = true
	for i := range r.Status.Results {
		n.add(r.Name, &r.Status.Results[i], fresh)
	}
}

func (n *Nodes) add(node string, r *v1alpha1.NodeResult, fresh bool) {
	id, status := control.ID(r.Control), control.Status(r.Status)
	if n.controls == nil {
		n.controls = map[control.ID]*tally{}
	}
	t := n.controls[id]
	if t == nil {
		t = &tally{}
		n.controls[id] = t
	}
	if status == control.Fail && n.Exempt != nil && n.Exempt(id, node) {
		status = control.Exempt
	}
	if status == control.Fail {
		t.fail++
		at, _ := slices.BinarySearch(t.failing, node)
		t.failing = slices.Insert(t.failing, at, node)
		t.failing = t.failing[:min(len(t.failing), maxNamed)]
		return
	}
	if !fresh {
		return
	}
	switch status {
	case control.Pass:
		t.pass++
	case control.Exempt:
		t.exempt++
	case control.ByHand:
		t.manual++
	case control.NotApplicable:
		t.notApplicable++
	default:
		t.unknown++
	}
}

// AKS is whether the cluster is one: whether more than half of its nodes say so. One node
// by itself cannot claim it, and one that is no virtual machine does not refute it.
func (n *Nodes) AKS() bool { return n != nil && 2*n.aks > len(n.reported) }

// counts are how many nodes pass a control, and how many nodes there are.
func (n *Nodes) counts(id control.ID) (passing, all int32) {
	if n == nil {
		return 0, 0
	}
	if t := n.controls[id]; t != nil {
		passing = int32(t.pass)
	}
	return passing, int32(len(n.reported))
}

// verdict is that of all nodes on a control.
func (n *Nodes) verdict(id control.ID, exemptions []string) verdict {
	switch {
	case n == nil:
		return verdict{control.Unknown, "the nodes' reports have not been read"}
	case len(n.reported) == 0:
		return verdict{control.Unknown, "there are no nodes"}
	}
	t := n.controls[id]
	if t == nil {
		t = &tally{}
	}
	all := len(n.reported)
	silent := all - t.pass - t.fail - t.exempt - t.manual - t.unknown - t.notApplicable
	detail := fmt.Sprintf("%d of %d nodes pass", t.pass, all)
	also := func(count int, what string) {
		if count > 0 {
			detail += fmt.Sprintf("; %d %s", count, what)
		}
	}
	if t.fail > 0 {
		detail += "; fail: " + strings.Join(t.failing, ", ")
		if more := t.fail - len(t.failing); more > 0 {
			detail += fmt.Sprintf(" and %d more", more)
		}
	}
	also(silent, "without a fresh report of it")
	also(t.unknown, "could not tell")
	also(t.manual, "for a person to decide")
	also(t.exempt, "exempt"+by(exemptions))
	also(t.notApplicable, "not applicable")
	switch {
	case t.fail > 0:
		return verdict{control.Fail, detail}
	case silent > 0 || t.unknown > 0:
		return verdict{control.Unknown, detail}
	case t.manual > 0:
		return verdict{control.ByHand, detail}
	case t.exempt > 0:
		return verdict{control.Exempt, detail}
	case t.pass > 0:
		return verdict{control.Pass, detail}
	}
	return verdict{control.NotApplicable, detail}
}

// by names exemptions.
func by(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " by " + some(names)
}

// some names the first of a list.
func some(names []string) string {
	names = slices.Sorted(slices.Values(names))
	if len(names) <= maxNamed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), len(names)-maxNamed)
}
