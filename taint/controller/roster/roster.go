package roster

import (
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/taint"
)

// Roster is what is known of the cluster. It is safe for concurrent use.
type Roster struct {
	// Namespace is the controller's own, where the agents' Leases are as well.
	Namespace string
	// PoolLabels are labels of nodes: the first that a node has names its pool.
	PoolLabels []string
	// Changed is called when something changed that may change a plan; it must not
	// block.
	Changed func()
	// Now is this machine's clock: by its monotonic one is known for how long nothing was
	// heard.
	Now func() time.Time

	strings stringPool
	digests digests

	mu      sync.Mutex
	entries map[string]*entry
	// policies and exemptions are as they are stored; rules is what they say, nil when
	// they have changed since.
	policies, exemptions map[string]*unstructured.Unstructured
	rules                *compiled
	paused               string
}

// entry is what is known of a node, under its name.
type entry struct {
	node   *corev1.Node // nil while only others mention it
	report *NodeReport
	lease  *coordinationv1.Lease
	// beat is the pulse by the lease, spoke that by the report.
	beat, spoke pulse
	// write is one of its taints whose outcome is not known yet.
	write *write

	// built is what the planner gets, and order what is missing in the report; they are
	// made anew when something has changed.
	built *taint.Node
	order *Order
}

// New makes a Roster that knows nothing yet.
func New(namespace string, poolLabels []string, changed func()) *Roster {
	return &Roster{
		Namespace: namespace, PoolLabels: poolLabels, Changed: changed, Now: time.Now,
		entries: map[string]*entry{}, policies: map[string]*unstructured.Unstructured{}, exemptions: map[string]*unstructured.Unstructured{},
	}
}

func (r *Roster) entry(name string) *entry {
	e := r.entries[name]
	if e == nil {
		e = &entry{}
		r.entries[name] = e
	}
	return e
}

// drop forgets an entry of which nothing is left.
func (r *Roster) drop(name string, e *entry) {
	if e.node == nil && e.report == nil && e.lease == nil {
		delete(r.entries, name)
	}
}

// SetNode notes a node as it was seen, in whatever order that is told.
func (r *Roster) SetNode(n *corev1.Node) {
	n = r.strings.trimNode(n)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.setNode(r.entry(n.Name), n) {
		r.Changed()
	}
}

// setNode is whether anything has changed.
func (r *Roster) setNode(e *entry, n *corev1.Node) bool {
	old := e.node
	if old != nil && !newer(n.ResourceVersion, old.ResourceVersion) {
		return false
	}
	e.node = n
	changed := old == nil || !sameNode(old, n)
	if changed {
		e.built = nil
	}
	if old != nil && old.UID != n.UID {
		e.write = nil
	}
	if e.write.settled(n) {
		e.write, e.built, changed = nil, nil, true
	}
	return changed
}

// DeleteNode notes that a node is gone.
func (r *Roster) DeleteNode(n *corev1.Node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.entries[n.Name]
	if e == nil || e.node == nil || e.node.UID != n.UID {
		return
	}
	e.node, e.write, e.built = nil, nil, nil
	r.drop(n.Name, e)
	r.Changed()
}

// SetReport notes a report as it was seen.
func (r *Roster) SetReport(o *NodeReport) {
	o = r.trimReport(o)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.setReport(r.entry(o.Name), o)
}

func (r *Roster) setReport(e *entry, o *NodeReport) {
	old := e.report
	if old != nil && !newer(o.ResourceVersion, old.ResourceVersion) {
		return
	}
	e.report, e.spoke = o, word(o, old, e.spoke, r.Now())
	if old != nil && sameReport(old, o) {
		return
	}
	e.built = nil
	r.Changed()
}

// DeleteReport notes that a report is gone.
func (r *Roster) DeleteReport(o *NodeReport) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.entries[o.Name]
	if e == nil || e.report == nil || e.report.UID != o.UID {
		return
	}
	e.report, e.built = nil, nil
	r.drop(o.Name, e)
	r.Changed()
}

// SetLease notes a Lease as it was seen. A renewal changes no plan, unless the agent
// was silent.
func (r *Roster) SetLease(l *coordinationv1.Lease) {
	if !isHeartbeat(l) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.entry(l.Name)
	old := e.lease
	if old != nil && !newer(l.ResourceVersion, old.ResourceVersion) {
		return
	}
	now := r.Now()
	next := heartbeat(l, old, e.beat, now)
	silent := e.beat.at.Add(duration(old)).Before(now)
	heard := next != e.beat
	e.lease, e.beat = l, next
	if !heard && duration(old) == duration(l) {
		return
	}
	e.built = nil
	if silent {
		r.Changed()
	}
}

// DeleteLease notes that a Lease is gone. What was heard was heard.
func (r *Roster) DeleteLease(l *coordinationv1.Lease) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.entries[l.Name]; e != nil && e.lease != nil {
		e.lease = nil
		r.drop(l.Name, e)
	}
}

// SetPolicy notes a NodePolicy as it is stored, SetExemption an Exemption; nil for one
// that is gone.
func (r *Roster) SetPolicy(name string, u *unstructured.Unstructured) { r.setRule(r.policies, name, u) }

// SetExemption is SetPolicy for an Exemption.
func (r *Roster) SetExemption(name string, u *unstructured.Unstructured) {
	r.setRule(r.exemptions, name, u)
}

func (r *Roster) setRule(of map[string]*unstructured.Unstructured, name string, u *unstructured.Unstructured) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if u == nil {
		delete(of, name)
	} else {
		of[name] = u
	}
	r.rules = nil
	r.Changed()
}

// SetNamespace notes the controller's own namespace, which can pause everything; nil
// when it is gone.
func (r *Roster) SetNamespace(ns *corev1.Namespace) {
	paused := ""
	if ns != nil {
		if _, ok := ns.Annotations[v1alpha1.PauseAnnotation]; ok {
			paused = "the annotation " + v1alpha1.PauseAnnotation + " of the namespace " + r.Namespace
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if paused != r.paused {
		r.paused = paused
		r.Changed()
	}
}
