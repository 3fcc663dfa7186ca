// Package oracle holds the workload policies against another judge of the same
// pods: the checks of Pod Security Admission, as the API server runs them. It has
// tests only.
//
// Where the two disagree, differences.go says why, and docs/psa-differences.md is
// written from it.
package oracle
