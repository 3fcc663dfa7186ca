// Package node is what the gate reads of a Node that registers, and the patch that
// taints it until it has been checked. It is pure, and it only ever adds: whatever else
// is on the node stays as it came, fields that nobody here knows among it.
package node
