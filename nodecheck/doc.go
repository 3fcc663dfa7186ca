// Package nodecheck is the agent on a node: it scans, at once when something has
// changed and from time to time in any case, and hands over what it found.
//
// By which rules is what the flags say or what the spec of the NodeReport asks for,
// which may change while the agent runs. What is judged is decided in
// nodecheck/check, what has changed in nodecheck/watch, what of it fits into a
// NodeReport in nodecheck/synopsis, and how that gets to the API server in
// nodecheck/delivery. The agent changes nothing on the node, starts no program, and
// goes on checking when the API server is away.
package nodecheck
