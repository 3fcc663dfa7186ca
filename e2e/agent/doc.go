// Package agent runs the real nodecheck binary against a lab's cluster, as a process
// outside of it: built from the checkout, with its real flags and the rights of
// manifests/nodecheck. Its token is a real one, bound to a pod on the node that the
// agent speaks for; its node is a directory.
package agent
