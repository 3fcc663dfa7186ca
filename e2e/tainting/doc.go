// Package tainting tests the real controller against a real API server, in a cluster of
// its own, as budgets are counted over all nodes. The nodes are objects that the tests
// write, and the reports on them.
package tainting
