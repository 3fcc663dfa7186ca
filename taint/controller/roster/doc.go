// Package roster keeps what the planner reads of a cluster, and nothing else of it:
// nodes, what their agents report, when those were last heard of, and the policies. It
// is fed by informers and by the answers to the controller's own writes, whichever is
// newer, so that a plan counts what was written before an informer shows it.
//
// It decides nothing, and writes nothing.
package roster
