// Package integration tests the gate where it works: the real binary behind a real
// API server. What a test asks of the gate, it asks by creating objects.
package integration
