// Package delivery brings the status of a node's report to the API server: when it
// changes, and never more than the latest. Between changes a Lease says that the
// agent is alive and that the report stands. It brings back what the report's spec
// asks for, and keeps a status that does not follow that from being written.
//
// It speaks plain JSON over HTTPS and knows two kinds. client-go would be a tenth
// of the memory that the agent may have (docs/adr/004).
package delivery
