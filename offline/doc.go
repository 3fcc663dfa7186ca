// Package offline judges objects from manifests with the policies of the webhook,
// so that one object has one verdict in both. What the webhook asks the cluster
// for, it takes from the input: ServiceAccounts, labels of namespaces, and the
// scope of custom kinds. It is pure: it reads no file and asks no cluster.
package offline
