// Package preflight tells, before a policy enforces anything, which DaemonSets would
// not run on a node with hardgate's taints. What makes a node work comes in DaemonSets,
// and the tolerations that Kubernetes gives them by itself are for its own taints only.
//
// It knows what the API says and no cluster: whether a DaemonSet selects the nodes that
// will be tainted is not asked.
package preflight
