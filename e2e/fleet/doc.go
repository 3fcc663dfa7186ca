// Package fleet plays thousands of nodes to a real API server: Node objects as kubelets
// register them, NodeReports as agents write them, and the Leases that agents renew. What
// the controller does about them is real.
package fleet
