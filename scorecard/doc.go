// Package scorecard fills in the benchmark's table for one cluster: a status for every
// row of the two source documents, and a score.
//
// It never says Pass of what has not been seen: a pass takes an audit that has read
// everything, or a fresh report of every node, and what a provider states is Attested.
// It is pure.
package scorecard
