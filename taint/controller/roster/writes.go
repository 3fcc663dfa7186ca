package roster

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// write is one of a node's taints that was begun. Until its outcome is known, the node
// counts as carrying what it sets as well as what it removes: a budget must not be
// given away twice.
type write struct {
	// taints are those of ours that may come to pass.
	taints []corev1.Taint
	// doubt is the newest resourceVersion that a patch of unknown outcome depends on;
	// empty if there is none. Once the node is seen in a newer one, all that are in doubt
	// have come to pass or never will.
	doubt string
	// open is whether somebody is at it.
	open bool
}

// settled is whether nobody is at it and the node, as it was seen, tells how it ended.
func (w *write) settled(n *corev1.Node) bool {
	return w != nil && !w.open && newer(n.ResourceVersion, w.doubt)
}

// BeginTaints notes that taints of ours are being written, and returns the node as it
// was seen last. unsure is whether an earlier write may still come to pass. It returns
// nil for a node that is gone or another.
func (r *Roster) BeginTaints(name string, uid types.UID, taints []corev1.Taint) (base *corev1.Node, unsure bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.entries[name]
	if e == nil || e.node == nil || e.node.UID != uid {
		return nil, false
	}
	w := &write{taints: taints, open: true}
	if e.write != nil {
		unsure = true
		w.taints, w.doubt = both(e.write.taints, taints), e.write.doubt
	}
	e.write, e.built = w, nil
	return e.node, unsure
}

// EndTaints notes that the outcome of a write is known: the node as it is now or, where
// that is nil, nothing written.
func (r *Roster) EndTaints(name string, uid types.UID, now *corev1.Node) {
	r.end(name, uid, func(e *entry) {
		if now != nil && now.UID == uid {
			r.setNode(e, r.strings.trimNode(now))
		}
	})
}

// DoubtTaints notes that it is not known whether a write came to pass. base is the
// resourceVersion that it depends on; empty if it was not sent, for doubts of before.
func (r *Roster) DoubtTaints(name string, uid types.UID, base string) {
	r.end(name, uid, func(e *entry) {
		if e.write != nil && newer(base, e.write.doubt) {
			e.write.doubt = base
		}
	})
}

func (r *Roster) end(name string, uid types.UID, note func(*entry)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.entries[name]
	if e == nil || e.node == nil || e.node.UID != uid {
		return
	}
	note(e)
	if e.write != nil {
		if e.write.open = false; e.write.doubt == "" || e.write.settled(e.node) {
			e.write = nil
		}
	}
	e.built = nil
	r.Changed()
}

// Saw notes a node that was read or written, if it is still there: what is seen here
// for the first time may be gone already without anybody telling.
func (r *Roster) Saw(n *corev1.Node) {
	n = r.strings.trimNode(n)
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.entries[n.Name]; e != nil && e.node != nil && e.node.UID == n.UID && r.setNode(e, n) {
		r.Changed()
	}
}

// SawReport is Saw for a report.
func (r *Roster) SawReport(o *NodeReport) {
	o = r.trimReport(o)
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.entries[o.Name]; e != nil && e.report != nil && e.report.UID == o.UID {
		r.setReport(e, o)
	}
}

// Node is a node as it was seen last; nil if it is gone or another. It is shared:
// callers must not change it.
func (r *Roster) Node(name string, uid types.UID) *corev1.Node {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.entries[name]; e != nil && e.node != nil && e.node.UID == uid {
		return e.node
	}
	return nil
}
