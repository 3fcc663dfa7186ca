package clusterwide

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// listed are the kinds of owners that come by themselves, in their own lists.
var listed = []string{"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "CronJob", "Job", "ReplicationController"}

// Workload notes an object that carries a pod; nodes is on how many nodes a DaemonSet is to
// run, as its status says.
func (f *Facts) Workload(o *workload.Object, nodes string) {
	if o.Kind.Kind == "DaemonSet" {
		f.daemonSet(o, nodes)
	}
	ns := f.Namespaces[o.Namespace]
	if ns == nil {
		return
	}
	kind, name := o.Controller.Kind, o.Controller.Name
	switch {
	case kind == "":
		kind, name = o.Kind.Kind, o.Name
	case slices.Contains(listed, kind), kind == "Node": // static pods are the node's
		return
	default: // an operator's own kind, once for all that it owns
		h := fnv.New64a()
		_, _ = h.Write([]byte(kind + "/" + name))
		if _, known := ns.others[h.Sum64()]; known {
			return
		}
		if ns.others == nil {
			ns.others = map[uint64]struct{}{}
		}
		ns.others[h.Sum64()] = struct{}{}
	}
	ns.workloads++
	if o.Namespace == metav1.NamespaceDefault {
		f.first.add(kind + "/" + name)
	}
}

// namespaceBoundaries: CIS 1.8 5.7.1. What belongs together a person must say; how
// workloads are spread is here.
func (f *Facts) namespaceBoundaries() Verdict {
	const most = 8
	var e evidence
	names := f.judged()
	e.add("%s besides those of the system", plural(len(names), "namespace"))
	if f.first.count > 0 {
		e.add("%s in the namespace default: %s", plural(f.first.count, "workload"), f.first.String())
	} else {
		e.add("no workload in the namespace default")
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(f.Namespaces[b].workloads, f.Namespaces[a].workloads) })
	var busy []string
	for _, n := range names[:min(len(names), most)] {
		if w := f.Namespaces[n].workloads; w > 0 {
			busy = append(busy, fmt.Sprintf("%s %d", n, w))
		}
	}
	e.names(busy, "most workloads")
	e.all(f.missing("namespaces"))
	return Verdict{"namespace-boundaries", control.ByHand, e}
}
