// Package workload is what the policies see of a Kubernetes object: the pod
// inside it, wherever that stands, and nothing that no policy reads.
//
// The same model serves the webhook, the command line and the audit, so that one
// object has one verdict. Decode reads it from JSON in one pass. A value of the
// wrong type is an error, never an absent value: a field that could not be read
// must not look like a field that is fine.
package workload
