// Package assets finds the binaries of a control plane, and builds those that
// are missing from the module in e2e/controlplane. Nothing is downloaded but Go
// modules.
//
// The places, in order: the directory that KUBEBUILDER_ASSETS names, when it
// holds an etcd and a kube-apiserver; then the cache. A binary of the cache is
// used only if the modules it was built from are those of the module's go.mod
// today, which Go records in every binary. A kubectl of the PATH comes before that of the
// cache, where its version fits the API server's: people who have one use it.
package assets
