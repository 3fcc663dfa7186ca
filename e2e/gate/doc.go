// Package gate runs the real webhook binary in front of a lab's cluster, as a
// process outside of it: built from the checkout, with its real flags, with the
// CRDs from manifests/ and registered by webhook/registration. The webhook has the
// rights that it needs and no others.
package gate
