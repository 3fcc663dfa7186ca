// Package record keeps what an API server really sends to an admission webhook.
// It registers a webhook that allows everything, creates pods as the ReplicaSet
// controller would, and writes the AdmissionReviews as they came, byte for byte.
package record
