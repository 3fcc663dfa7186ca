// Package kubelet holds the node checker against a real kubelet: what the checker
// makes of the files and the command line is compared with what the kubelet says
// it runs with, and the agent's pod runs on the node. It has tests only.
//
// They need root and a container runtime, and are skipped without, unless
// HARDGATE_ORACLES=required.
package kubelet
