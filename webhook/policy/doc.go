// Package policy judges workloads: one file for each control of the benchmark's
// section 5 that one object can break, and for one of our own.
//
// It is pure. A policy takes a Subject and returns findings; it knows no client,
// context, logger or clock, and reads no file. Facts from the cluster come in as
// data. What follows from a finding (a denial, a warning) is not decided here.
package policy
