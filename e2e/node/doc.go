// Package node runs a real node in an enclosure: Debian's containerd and runc, and
// a kubelet built from the control plane's module. All of it is at the paths where
// a kubeadm cluster has it, which are private to the enclosure. Start makes it a node of
// a cluster outside of it.
package node
