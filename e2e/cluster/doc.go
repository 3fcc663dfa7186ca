// Package cluster runs a real Kubernetes control plane on this machine's
// loopback: etcd and kube-apiserver, and where asked kube-controller-manager
// and kube-scheduler. It runs no kubelet, so that pods are admitted, stored and
// never start.
//
// A state directory holds one cluster: its keys and tokens, which are made on
// first use and readable by the owner only, its data, logs, pid files and
// kubeconfig. Start takes over what is healthy in it and mends the rest.
package cluster
