package roster

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// write is one of a node's taints that was begun. Until its outcome is known, the node
// counts as carrying what it sets as well as what it removes: a budget must not be
// given away twice.
type write struct {
	taints []corev1.Taint
	// base is the resourceVersion that the patch depends on: once the node is seen in
	// another, newer one, the patch has come to pass or never will.
	base string
	// open is whether somebody is at it.
	open bool
}

// overtaken is whether nobody is at it and a node that was seen tells how it ended.
func (w *write) overtaken(n *corev1.Node) bool {
	return w != nil && !w.open && newer(n.ResourceVersion, w.base)
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
	unsure = e.write != nil
	e.write = &write{taints: taints, base: e.node.ResourceVersion, open: true}
	e.built = nil
	return e.node, unsure
}

// EndTaints notes how a write ended: with the node as it is now or, where that is nil,
// with nothing written. It is for outcomes that are known.
func (r *Roster) EndTaints(name string, uid types.UID, now *corev1.Node) {
	r.end(name, uid, func(e *entry) {
		e.write, e.built = nil, nil
		if now != nil && now.UID == uid {
			r.setNode(e, r.strings.trimNode(now))
		}
	})
}

// DoubtTaints notes that it is not known whether a write came to pass. base is the
// resourceVersion that it depends on.
func (r *Roster) DoubtTaints(name string, uid types.UID, base string) {
	r.end(name, uid, func(e *entry) {
		if e.write == nil {
			return
		}
		e.write.open, e.write.base = false, base
		if e.write.overtaken(e.node) {
			e.write, e.built = nil, nil
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
