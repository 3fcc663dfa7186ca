// Package control is the catalogue: every control that hardgate knows, what it
// is called in each edition of a benchmark, and which row of the two source
// documents leads to it.
//
// It is a leaf. It imports the standard library only and judges nothing: the
// verdicts of workload controls are in webhook/policy, those of nodes in
// nodecheck/check. A control's id is stable and never reused; benchmark numbers
// move between editions and are therefore data (data/editions.csv and
// data/rows.csv), never part of an id.
package control
