// Package decoding compares ways of reading an AdmissionReview, on the recorded
// ones of e2e/bench. It is a module of its own so that the decoders that were not
// chosen stay out of every other. The figures and the choice are in
// docs/adr/001-decoding.md.
package decoding
