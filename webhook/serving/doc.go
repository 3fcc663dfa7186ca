// Package serving is the plumbing around the gate: the TLS server with a
// certificate that follows its files and an orderly end, and the plain servers of
// health, metrics and profiles. It knows nothing of admission.
package serving
