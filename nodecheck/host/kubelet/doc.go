// Package kubelet finds out what a node's kubelet does: the flags it runs with, its
// configuration file, the drop-ins in their order and the flags again, with the
// defaults that hold under those circumstances, and where each value comes from.
// What the kubelet itself says of its configuration counts as what is in force, and
// the files as what it would come up with.
//
// kube-proxy is read here too: its flags and its file are of the same make.
//
// The rules are those of k8s.io/kubernetes/cmd/kubelet/app. What a kubelet would
// refuse to start with is an error of the values concerned, never a value.
package kubelet
