package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/taint/key"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// taintedNodeToleration: our own. A node that drifts is tainted so that pods stay
// away, and so is one that has not been checked. Two ways lead onto it all the same: to
// name the node, which no scheduler looks at then, and to tolerate the taint, by its key
// or with all others. What makes a node work has to, and lives in namespaces of the
// system.
var taintedNodeToleration = Policy{
	ID:         "tainted-node-toleration",
	Judges:     pods,
	Parameters: []string{"systemNamespaces"},
	Check: func(s *Subject) (found []Finding) {
		// The node of a pod that is there already was chosen by the scheduler, or was
		// judged when the pod was made. A template's is always somebody's wish.
		named := s.Pod.NodeName != "" && (s.Pod.Template || !s.Stored)
		if !named && len(s.Pod.Tolerations) == 0 || ofSystem(s) {
			return nil
		}
		if named {
			at := s.spec().field("nodeName").worth("=" + s.Pod.NodeName)
			found = append(found, at.found("names node %q, and the scheduler does not look at its taints", s.Pod.NodeName))
		}
		for _, t := range s.Pod.Tolerations {
			if toleratesOurs(t) {
				found = append(found, toleration(s, t))
			}
		}
		return found
	},
}

// systemNamespaces are those of the parameter's absence. They are few: an exempt
// namespace that a cluster has not is one for a tenant to make.
var systemNamespaces = []string{"kube-system", "hardgate-system", "calico-system", "kube-flannel"}

// ofSystem is whether it is a DaemonSet in a namespace of the system, or a pod of one.
// The owner of a pod proves nothing, so that the namespace decides: a tenant can make
// no pods there.
func ofSystem(s *Subject) bool {
	namespaces := s.Parameters.SystemNamespaces
	if namespaces == nil {
		namespaces = systemNamespaces
	}
	return slices.Contains(namespaces, s.Namespace) &&
		(s.Kind.Kind == "DaemonSet" || s.Kind.Kind == "Pod" && s.OfDaemonSet)
}

// The words of the API, and of its Toleration.ToleratesTaint.
const (
	exists           = "Exists"
	equal            = "Equal" // what an operator is that is unset
	preferNoSchedule = "PreferNoSchedule"
)

// toleratesOurs does not ask for the value: ours have none today, and nobody names one
// of our taints but to get past it. A toleration without a key goes for every taint, and
// for those of one value if its operator is not Exists: the API server refuses that, a
// manifest may have it.
func toleratesOurs(t workload.Toleration) bool {
	// A taint of that effect is a wish, and so is its toleration.
	return t.Effect != preferNoSchedule && (t.Key == "" || key.Ours(t.Key))
}

// toleration finds one. It is known by all that it says, and is part of one that says
// less: of any value, of any effect, of any key.
func toleration(s *Subject, t workload.Toleration) Finding {
	t.Operator = cmp.Or(t.Operator, equal)
	at := func(t workload.Toleration) place { return s.spec().item("tolerations", t.Index, selected(t)) }
	kin := &Kin{}
	for _, wider := range []workload.Toleration{
		{Key: t.Key, Operator: t.Operator, Value: t.Value},
		{Key: t.Key, Operator: exists, Effect: t.Effect},
		{Key: t.Key, Operator: exists},
		{Operator: exists, Effect: t.Effect},
		{Operator: exists},
	} {
		stronger := at(wider)
		kin.Stronger = append(kin.Stronger, stronger.same())
	}
	found := at(t).found("tolerates %s", tolerated(t))
	found.Kin = kin
	return found
}

// selected is which taints a toleration selects, as kubectl writes taints.
func selected(t workload.Toleration) string {
	text := t.Key
	switch t.Operator {
	case exists:
	case equal:
		text += "=" + t.Value
	default:
		text += " " + t.Operator + " " + t.Value
	}
	return text + ":" + t.Effect
}

// tolerated is the same in words.
func tolerated(t workload.Toleration) string {
	var text string
	switch {
	case t.Key != "":
		text = fmt.Sprintf("the taint %q", strings.TrimSuffix(t.Key+":"+t.Effect, ":"))
	case t.Effect != "":
		text = "every " + t.Effect + " taint"
	default:
		text = "every taint"
	}
	switch t.Operator {
	case exists:
		return text
	case equal:
		return fmt.Sprintf("%s with the value %q", text, t.Value)
	default:
		return fmt.Sprintf("%s with a value %s %q", text, t.Operator, t.Value)
	}
}
