// Package taint decides which nodes carry hardgate's taints. Plan is a pure function of
// the whole fleet: nodes, reports, policies, exemptions and the time. All that it
// remembers of a node is on the node itself, in a condition and in the taint, so that a
// controller which starts anew goes on where the last one stopped.
//
// The danger is the tool itself. So Plan bounds how many nodes are tainted, and taints
// nobody new while one control fails on so many nodes that the rule must be at fault.
// What cannot be told taints nobody. A report is a node's own word: a compromised node
// can lie about itself, and about nobody else.
package taint
